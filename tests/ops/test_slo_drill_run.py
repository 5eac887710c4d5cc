"""`make slo-drill` itself, with every server: three to six minutes."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ops.embedded.processes import end

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def drill() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-m", "ops.drill"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield process
    end([*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else [])
    process.kill()
    process.communicate()


def test_a_slow_stage_is_noticed_and_named_and_without_one_nothing_is_said(drill: subprocess.Popen[str]) -> None:
    output, _ = drill.communicate(timeout=900)
    found = json.loads(output.splitlines()[-1])
    assert drill.returncode == 0, output
    assert found.pop("detection_seconds") > 0
    assert found == dict.fromkeys(
        ("alert_fired", "miss_mail", "cause_named", "recovery_mail", "control_silent"), True
    ), output


def test_a_drill_that_is_interrupted_leaves_no_process(drill: subprocess.Popen[str]) -> None:
    assert drill.stdout is not None
    line = next(line for line in drill.stdout if "up: ranker" in line)
    everything = psutil.Process(drill.pid).children(recursive=True)
    assert len(everything) > 8, line
    drill.send_signal(signal.SIGINT)
    assert drill.wait(90) == 130
    assert [one for one in everything if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
