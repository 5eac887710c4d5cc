"""`python -m benchmarks.monitoring_cost [--quick]`: what it costs a gateway to be watched, paired in one run.

Gateways with and without monitoring (benchmarks.unmonitored_gateway) run side by side, and are asked the same by turns:
a round is one of each, in changing order, so that what the machine does besides meets both. Ends with a line of JSON.
"""

import json
import random
import sys
import tempfile
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import psutil

from benchmarks import load_client, machine
from benchmarks.monitoring_cost_page import CASES, page
from benchmarks.recommend import (
    HOST,
    SEED,
    free_port,
    gateway,
    paths,
    published,
    ranker,
    ranker_state,
    settings_of,
)
from benchmarks.recommend_split import until_ranked
from contract.settings import Settings
from contract.store.publisher import set_model

# Many short rounds: what the machine does besides changes within seconds.
ROUNDS, COUNT, MOST_SECONDS = 160, 100, 20.0
# Two processes of the same program differ by tens of microseconds a request as long as they live.
STARTS = 8
QUICK_ROUNDS, WORK_MS, WORKED_COUNT = 20, 20, 20
# As often as ops/prometheus.yml has it.
SCRAPE_SECONDS = 15.0
# After a start's last request: what is told in batches, and looked at now and then, belongs to what requests cost.
SETTLED_SECONDS = 1.5
RESAMPLES = 2000
MOST_US, MOST_SHARE = 50.0, 0.03
RESULTS = Path("benchmarks/results/monitoring_cost.json")
PAGE = Path("docs/benchmarks/monitoring_cost.md")

# What a gateway is watched with, from nothing to more than the settings do by themselves.
VARIANTS: dict[str, dict[str, Any]] = {
    "off": {},
    "on": {"log": {"requests": "all", "format": "json"}},
    "on, 1 % traced": {
        "log": {"requests": "all", "format": "json"},
        "tracing": {"endpoint": "http://127.0.0.1:9/v1/traces", "sampled": 0.01},
    },
}


def main(argv: Sequence[str]) -> int:
    parser = ArgumentParser(prog="python -m benchmarks.monitoring_cost", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds; the figures are not kept")
    quick = parser.parse_args(argv).quick
    rounds = QUICK_ROUNDS if quick else ROUNDS
    found: dict[str, Any] = {
        "benchmark": "monitoring_cost",
        "machine": machine.describe(),
        "rounds": rounds,
        "requests": COUNT,
        "scrape_seconds": SCRAPE_SECONDS,
        "requests_with_work": WORKED_COUNT,
        "starts": STARTS,
        "work_ms": WORK_MS,
        "most_us": MOST_US,
        "most_share": MOST_SHARE,
    }
    with published() as (url, client, keys):
        found["alone"] = measured(url, rounds, COUNT, concurrency=1)
        found["alone_under_load"] = measured(url, rounds, COUNT, concurrency=16)
        set_model(client, keys, "stand-in")
        found["with_model"] = measured(url, rounds // 2, WORKED_COUNT, concurrency=1, work_ms=WORK_MS)
    found["summary"] = {
        case: {
            name: {"us": cost["us"]["median"], "throughput_lost": cost["throughput_lost"]["median"]}
            for name, cost in found[case]["cost"].items()
        }
        for case in CASES
    }
    if not quick:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        PAGE.write_text(page(found))
    print(json.dumps(found["summary"]))
    return 0


def measured(url: str, rounds: int, count: int, concurrency: int, work_ms: int | None = None) -> dict[str, Any]:
    """Of each variant the medians over all rounds; of each but `off` what it cost beside it."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
    cpu_us: dict[str, list[float]] = {name: [] for name in VARIANTS}
    requests, draw = (load_client.get(path, HOST) for path in paths()), random.Random(SEED)
    with ExitStack() as ends:
        log = Path(ends.enter_context(tempfile.TemporaryDirectory())) / "log"
        endpoint = f"tcp://{HOST}:{free_port()}"
        if work_ms is not None:
            ends.enter_context(ranker(endpoint, work_ms))
        for _ in range(STARTS):
            with ExitStack() as stops:
                servers = {name: stops.enter_context(_started(url, endpoint, name, log)) for name in VARIANTS}
                for _, port in servers.values():
                    if work_ms is not None:
                        until_ranked(lambda port=port: ranker_state(port))  # type: ignore[misc]
                    load_client.run(HOST, port, requests, concurrency, 2 * count, MOST_SECONDS)
                stops.enter_context(_scraped([port for _, port in servers.values()]))
                before = {name: _cpu_seconds(process) for name, (process, _) in servers.items()}
                for _ in range(rounds // STARTS):
                    for name in draw.sample(list(servers), len(servers)):
                        runs[name].append(_run(servers[name][1], requests, concurrency, count))
                time.sleep(SETTLED_SECONDS)
                for name, (process, _) in servers.items():
                    spent = _cpu_seconds(process) - before[name]
                    cpu_us[name].append(spent / (rounds // STARTS * count) * 1e6)
    off = runs["off"]
    return {
        "concurrency": concurrency,
        "variants": {
            name: {"cpu_us": median(cpu_us[name]), **{key: median(run[key] for run in of) for key in of[0]}}
            for name, of in runs.items()
        },
        "cost": {
            name: {
                "us": _interval([spent - base for spent, base in zip(cpu_us[name], cpu_us["off"], strict=True)]),
                "throughput_lost": _interval(
                    [1 - run["per_second"] / base["per_second"] for run, base in zip(of, off, strict=True)]
                ),
            }
            for name, of in runs.items()
            if name != "off"
        },
    }


@contextmanager
def _started(url: str, endpoint: str, name: str, log: Path) -> Iterator[tuple[psutil.Process, int]]:
    """A variant's process and its port."""
    base = settings_of(url).model_dump(exclude_unset=True)
    settings = Settings(_env_file=None, **{**base, "ranker": {"endpoint": endpoint}, **VARIANTS[name]})
    module = "online.gateway" if VARIANTS[name] else "benchmarks.unmonitored_gateway"
    with gateway(settings, module, log) as process:
        yield process, settings.gateway.port


def _run(port: int, requests: Iterator[bytes], concurrency: int, count: int) -> dict[str, float]:
    """One load. Raises SystemExit where it did not come to its end."""
    load = load_client.run(HOST, port, requests, concurrency, count, MOST_SECONDS)
    if len(load.latencies) != count or load.refused:
        raise SystemExit(f"{len(load.latencies)} of {count} answers, {load.refused} refused: the machine is too busy")
    return {"per_second": load.per_second, "p50_ms": load.quantile(0.5) * 1000}


@contextmanager
def _scraped(ports: Sequence[int]) -> Iterator[None]:
    """Prometheus, as far as the gateways notice it."""
    stop = Event()

    def scrape() -> None:
        while not stop.wait(SCRAPE_SECONDS):
            for port in ports:
                urllib.request.urlopen(f"http://{HOST}:{port}/metrics").close()

    thread = Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _cpu_seconds(process: psutil.Process) -> float:
    """Of a server and its workers, as the scheduler counted it: /proc/PID/stat knows ticks of 10 ms."""
    spent = 0
    for part in (process, *process.children(recursive=True)):
        for thread in Path(f"/proc/{part.pid}/task").iterdir():
            spent += int((thread / "schedstat").read_text().split()[0])
    return spent / 1e9


def _interval(differences: Sequence[float]) -> dict[str, float]:
    """The median of paired differences, and its 95 % bootstrap interval."""
    draw = random.Random(SEED)
    medians = sorted(median(draw.choices(differences, k=len(differences))) for _ in range(RESAMPLES))
    return {
        "median": round(median(differences), 4),
        "low": round(medians[int(0.025 * RESAMPLES)], 4),
        "high": round(medians[int(0.975 * RESAMPLES)], 4),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
