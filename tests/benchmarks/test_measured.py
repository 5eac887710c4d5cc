"""What a command took: also what its children took, and never a failure taken for a result."""

import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.measured import CommandFailed, measure

MEGABYTES = 10**6
# Holds 150 MB until its standard input ends, that is: for as long as the parent wants.
HOLDER = "import sys; held = bytearray(b'x' * 150_000_000); print(flush=True); sys.stdin.read()"
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {HOLDER!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
time.sleep(0.5)  # a few samples
child.stdin.close()
child.wait()
"""


def test_memory_of_children_is_counted(tmp_path: Path) -> None:
    took = measure([sys.executable, "-c", PARENT], tmp_path / "log")
    assert took.peak_process_bytes > 150 * MEGABYTES
    assert took.peak_tree_bytes > took.peak_process_bytes + 5 * MEGABYTES


def test_cpu_is_counted(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    assert measure([sys.executable, "-c", burn], tmp_path / "log").cpu_seconds >= 0.5


def test_a_failure_is_raised_with_the_end_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"(?s)exit status 3.*the reason"):
        measure([sys.executable, "-c", "print('the reason'); raise SystemExit(3)"], tmp_path / "log")


def test_variables_reach_the_command(tmp_path: Path) -> None:
    measure([sys.executable, "-c", "import os; print(os.environ['HELLO'])"], tmp_path / "log", {"HELLO": "there"})
    assert (tmp_path / "log").read_text() == "there\n"


def test_a_command_past_its_limit_is_stopped_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="stopped after 1 s") as stopped:
        measure(["bash", "-c", "sleep 60 & echo $!; wait"], tmp_path / "log", limit_seconds=1.0)
    assert stopped.value.why == "stopped after 1 s"
    child = int((tmp_path / "log").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
