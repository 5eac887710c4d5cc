"""The same verbs run a night, and the same servers answer, on a lake of another domain."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.video_domain import video_id, write_dataset

pytestmark = pytest.mark.slow

NIGHT = (
    ("import_events", "--items", "{items}", "--events", "{events}"),
    ("validate", "--suite", "events", "--suite", "items"),
    ("features",),
    ("validate", "--suite", "features"),
    ("candidates",),
    ("validate", "--suite", "candidates"),
    ("publish",),
    ("training_pairs",),
    ("train",),
    ("prune",),
    ("evaluate",),
    ("promote",),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path, client: Any, valkey_url: str) -> dict[str, str]:
    settings = {
        "REDIS__URL": valkey_url,
        "REDIS__TIMEOUT_SECONDS": "1",
        "EVENTS__URL": valkey_url,
        "NIGHT__LAKE": str(tmp_path / "lake"),
        "NIGHT__MODELS": str(tmp_path / "models"),
        "NIGHT__DATA_DOCS": str(tmp_path / "docs"),
        "TRAINING__TEST_DAYS": "10",
        "TRAINING__TRAIN_DAYS": "20",
        "TRAINING__SAMPLE_QUERIES": "120",
        "TRAINING__TEST_QUERIES": "60",
        "TRAINING__CANDIDATES": "30",
        "GATEWAY__PORT": str(free_port()),
        "GATEWAY__TIMEOUT_MS": "5000",
        "GATEWAY__MIN_TIMEOUT_MS": "1001",
        "RANKER__ENDPOINT": f"tcp://127.0.0.1:{free_port()}",
        "RANKER__METRICS_PORT": str(free_port()),
    }
    return {**os.environ, **{f"PACE_{name}": value for name, value in settings.items()}}


@pytest.fixture
def servers(environment: dict[str, str], tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.terminate()
    for process in started:
        process.wait(20)


def ask(environment: dict[str, str], path: str, **parameters: str) -> dict[str, Any]:
    url = f"http://127.0.0.1:{environment['PACE_GATEWAY__PORT']}{path}?{urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return dict(json.load(answer))


def until(true: Any, seconds: float) -> Any:
    """Call `true` until it returns something true; its last exception or a timeout otherwise."""
    end = time.monotonic() + seconds
    while True:
        try:
            if found := true():
                return found
        except OSError:
            if time.monotonic() > end:
                raise
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.2)


def test_a_video_platform_runs_the_same_night_and_gets_slates_by_its_model(
    environment: dict[str, str], servers: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    items, events = write_dataset(tmp_path)
    for verb, *arguments in NIGHT:
        command = [sys.executable, "-m", "jobs", verb, *(a.format(items=items, events=events) for a in arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{verb}: {done.stderr[-3000:]}"
    for server in ("online.ranker", "online.gateway"):
        servers.append(subprocess.Popen([sys.executable, "-m", server], env=environment))

    watched = video_id("chess", 1)
    query = {"user_id": "viewer 2", "item_id": watched, "n": "5"}  # viewer 2 likes chess
    slate = until(lambda: (s := ask(environment, "/recommend", **query))["level"] == "full" and s, 60)

    assert slate["degraded"] is None
    assert slate["generation"] == 1
    assert len(slate["items"]) == 5
    assert watched not in {item["item_id"] for item in slate["items"]}
    assert sum(item["item_id"].startswith("vid/chess") for item in slate["items"]) >= 3
    assert all(item["title"] for item in slate["items"])
    assert ask(environment, "/recommend", user_id="a stranger", n="3")["level"] == "popular"
