"""`python -m benchmarks.monitoring_cost [--quick]`: what it costs a gateway to be watched, paired in one run.

Of one gateway every request is watched or not, by chance (benchmarks.watched_gateway), so that both kinds meet the same
process, caches and neighbours. Then it is asked for a while with all of them watched, and with none: that tells what is
done beside the requests. Ends with a line of JSON.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from benchmarks import load_client, machine
from benchmarks.monitoring_cost_page import CASES, Case, page
from benchmarks.recommend import HOST, SEED, free_port, gateway, paths, published, ranker, ranker_state, settings_of
from benchmarks.recommend_split import until_ranked
from benchmarks.watched_gateway import UNWATCHED
from benchmarks.watched_starts import Start, interval, losses, resampled, sampled, trimmed
from contract.settings import Settings
from contract.store.publisher import set_model

# Requests a start; fewer beside a model, which takes its time for each.
STARTS, COUNT, WORKED_COUNT = 3, 5000, 2000
# Turns in which all are watched, and as many in which none is: for what is done beside, and, shorter and more of them,
# so that the machine is the same in both, for the throughput.
TURNS, TURN_SECONDS = 2, 3.0
SHORT_TURNS, SHORT_SECONDS, WORKED_SECONDS = 24, 0.5, 1.0
# What is told in batches is told by then.
SETTLED_SECONDS = 2.5
# As often as ops/prometheus.yml has it.
SCRAPE_SECONDS = 15.0
# The thread of snapshots.
SNAPSHOTS = "monitor"
MOST_SECONDS, ENOUGH = 120.0, 10**9
MOST_US, MOST_SHARE = 50.0, 0.03
RESULTS = Path("benchmarks/results/monitoring_cost.json")
PAGE = Path("docs/benchmarks/monitoring_cost.md")
SAMPLED = 0.01


def main(argv: Sequence[str]) -> int:
    parser = ArgumentParser(prog="python -m benchmarks.monitoring_cost", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one start; the figures are not kept")
    quick = parser.parse_args(argv).quick
    starts = 1 if quick else STARTS
    found: dict[str, Any] = {
        "benchmark": "monitoring_cost",
        "machine": machine.describe(),
        "starts": starts,
        "short_turns": 2 * SHORT_TURNS,
        "scrape_seconds": SCRAPE_SECONDS,
        "most_us": MOST_US,
        "most_share": MOST_SHARE,
    }
    with published() as (url, client, keys):
        for name, case in CASES.items():
            if case.work_ms is not None:
                set_model(client, keys, "stand-in")
            found[name] = measured(url, case, starts, WORKED_COUNT if case.work_ms else COUNT)
            print(json.dumps({name: found[name]}), file=sys.stderr)
    found["summary"] = {name: {key: found[name][key]["found"] for key in ("us", "share")} for name in CASES}
    if not quick:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        PAGE.write_text(page(found))
    print(json.dumps(found["summary"]))
    return 0


def measured(url: str, case: Case, starts: int, count: int) -> dict[str, Any]:
    """What watching costs a request, in microseconds of CPU: in the request and beside it; that as a share of the time
    that the gateway has for one; and how much less it answers. With intervals, over starts and requests."""
    base = settings_of(url).model_dump(exclude_unset=True) | {"log": {"requests": "all", "format": "json"}}
    found: list[Start] = []
    requests = _requests()
    with ExitStack() as ends:
        log = Path(ends.enter_context(tempfile.TemporaryDirectory())) / "log"
        if case.traced:
            base["tracing"] = {"endpoint": ends.enter_context(_collector()), "sampled": SAMPLED}
        if case.work_ms is not None:
            base["ranker"] = {"endpoint": f"tcp://{HOST}:{free_port()}"}
            ends.enter_context(ranker(base["ranker"]["endpoint"], case.work_ms))
        for _ in range(starts):
            port = free_port()
            settings = Settings(_env_file=None, **{**base, "gateway": {**base["gateway"], "port": port}})
            with gateway(settings, "benchmarks.watched_gateway", log):
                if case.work_ms is not None:
                    until_ranked(lambda port=port: ranker_state(port))  # type: ignore[misc]
                _load(port, requests, case.concurrency, count // 4)
                _told(port)
                _load(port, requests, case.concurrency, count)
                told = _told(port)
                on, off = (np.array(told[kind]) / 1000 for kind in ("on", "off"))
                beside_us, by_clock, per_second = _beside(port, case.concurrency)
                seconds = WORKED_SECONDS if case.work_ms else SHORT_SECONDS
                lost = _lost(port, case.concurrency, seconds)
                found.append(Start(on, off, beside_us, by_clock, per_second, lost))
    inside, beside, costs, shares = zip(*sampled(found), strict=True)
    return {
        "per_second": round(median(start.per_second for start in found), 1),
        "requests": sum(len(start.on) for start in found),
        "request_us": round(fmean(trimmed(start.off) for start in found), 1),
        "inside_us": interval(inside),
        "beside_us": interval(beside),
        "by_clock": round(median(start.by_clock for start in found), 6),
        "us": interval(costs),
        "share": interval(shares),
        "throughput_lost": interval(resampled(losses(found))),
    }


def _requests() -> Iterator[bytes]:
    """Every second one, by chance, is not watched."""
    draw = random.Random(SEED)
    for path in paths():
        yield load_client.get(path, HOST, draw.choice(("", f"{UNWATCHED}: 1\r\n")))


def _beside(port: int, concurrency: int) -> tuple[float, float, float]:
    """What is done for a request, but not in it: told in batches, and garbage collected; in microseconds of CPU. The
    share of a core of what goes by the clock: snapshots and scrapes. How many watched requests were answered a second.
    """
    told: dict[str, list[dict[str, Any]]] = {"on": [], "off": []}
    rates = []
    for turn in range(2 * TURNS):
        kind = ("on", "off")[(turn + turn // 2) % 2]  # on, off, off, on
        rate = _turn(port, concurrency, kind, TURN_SECONDS)
        if kind == "on":
            rates.append(rate)
            urllib.request.urlopen(f"http://{HOST}:{port}/metrics").close()
            time.sleep(SETTLED_SECONDS)
        told[kind].append(_told(port))
    per_second, watched = median(rates), sum(len(one["on"]) for one in told["on"])
    snapshots = sum(one["beside"].pop(SNAPSHOTS) for one in told["on"]) / sum(one["seconds"] for one in told["on"])
    scrapes = fmean(ns for one in told["on"] for ns in one["scrape"]) / SCRAPE_SECONDS
    batches = sum(sum(one["beside"].values()) for one in told["on"]) / watched
    us = (batches + _collected(told["on"], "on") - _collected(told["off"], "off")) / 1000
    return us, (snapshots + scrapes) / 1e9, per_second


def _lost(port: int, concurrency: int, seconds: float) -> list[float]:
    """Which share less is answered in a short turn where all are watched than in one beside it where none is."""
    lost = []
    for turn in range(SHORT_TURNS):
        order = ("on", "off") if turn % 2 else ("off", "on")
        rate = {kind: _turn(port, concurrency, kind, seconds) for kind in order}
        lost.append(1 - rate["on"] / rate["off"])
    _told(port)
    return lost


def _turn(port: int, concurrency: int, kind: str, seconds: float) -> float:
    """Answers a second where all requests are watched ("on"), or none is ("off")."""
    requests = (load_client.get(path, HOST, "" if kind == "on" else f"{UNWATCHED}: 1\r\n") for path in paths())
    load = load_client.run(HOST, port, requests, concurrency, ENOUGH, seconds)
    if load.refused:
        raise SystemExit(f"{load.refused} of {len(load.latencies)} requests were refused: the machine is too busy")
    return load.per_second


def _collected(told: Sequence[dict[str, Any]], kind: str) -> float:
    """Nanoseconds of garbage collection a request."""
    return float(sum(one["collected"] for one in told) / sum(len(one[kind]) for one in told))


@contextmanager
def _collector() -> Iterator[str]:
    """The address of one that takes spans, in a process of its own as it would be."""
    port = free_port()
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.span_collector", HOST, str(port)])
    try:
        yield f"http://{HOST}:{port}/v1/traces"
    finally:
        child.terminate()
        child.wait(60)


def _load(port: int, requests: Iterator[bytes], concurrency: int, count: int) -> None:
    """Raises SystemExit where it did not come to its end."""
    load = load_client.run(HOST, port, requests, concurrency, count, MOST_SECONDS)
    if len(load.latencies) != count or load.refused:
        raise SystemExit(f"{len(load.latencies)} of {count} answers, {load.refused} refused: the machine is too busy")


def _told(port: int) -> dict[str, Any]:
    """What the gateway measured since it was asked before."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/measured") as answer:
        return json.load(answer)  # type: ignore[no-any-return]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
