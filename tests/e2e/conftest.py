"""The environment of a whole night in a folder of its own, and the servers that answer from it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.domains.night import environment_of
from tests.e2e.served import free_port


@pytest.fixture
def environment(tmp_path: Path, client: Any, valkey_url: str) -> dict[str, str]:
    settings = {
        "REDIS__URL": valkey_url,
        "REDIS__TIMEOUT_SECONDS": "1",
        "EVENTS__URL": valkey_url,
        "TRAINING__TEST_DAYS": "10",
        "TRAINING__TRAIN_DAYS": "20",
        "TRAINING__SAMPLE_QUERIES": "120",
        "TRAINING__TEST_QUERIES": "60",
        "TRAINING__CANDIDATES": "30",
        # Sixty queries show little, and the machine may be busy: that the gate's verb runs is enough here.
        "GATE__TOLERANCE": "1",
        "GATE__LATENCY_BUDGET_MS": "10000",
        "REGISTRY__TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "GATEWAY__PORT": str(free_port()),
        "GATEWAY__TIMEOUT_MS": "5000",
        "GATEWAY__MIN_TIMEOUT_MS": "1001",
        "RANKER__ENDPOINT": f"tcp://127.0.0.1:{free_port()}",
        "RANKER__METRICS_PORT": str(free_port()),
    }
    return environment_of(tmp_path, {f"PACE_{name}": value for name, value in settings.items()})


@pytest.fixture
def serve(environment: dict[str, str]) -> Iterator[Any]:
    """Starts ranker and gateway with an environment; they end with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(environment: dict[str, str]) -> None:
        for server in ("online.ranker", "online.gateway"):
            started.append(subprocess.Popen([sys.executable, "-m", server], env=environment))

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(20)
