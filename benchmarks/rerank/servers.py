"""A server in a process group of its own: started, waited for, stopped and continued, ended with all its children."""

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.measured import CommandFailed
from benchmarks.recommend import cpu_seconds
from benchmarks.rerank.system import Running

START_SECONDS, END_SECONDS, ASKED_EVERY_SECONDS = 180.0, 10.0, 0.2


@contextmanager
def server(
    command: Sequence[str], variables: Mapping[str, str], port: int, probe: urllib.request.Request, log: Path
) -> Iterator[Running]:
    """Run `command`, its output into `log`, until `probe` is answered with a 200. Raises CommandFailed where it ends
    before, or takes more than 180 s."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, env=dict(variables), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_until_answered(child, command, probe, log)
        yield Running(port, (psutil.Process(child.pid),))
    finally:
        _end_group(child)


def used_cpu(running: Running) -> list[float]:
    """User and system seconds of each of its process trees, of what still runs, from /proc."""
    return [cpu_seconds(root) for root in running.processes]


@contextmanager
def awake(running: Running) -> Iterator[None]:
    """A stopped system, continued for as long as the block takes."""
    resume(running)
    try:
        yield
    finally:
        pause(running)


def pause(running: Running) -> None:
    """Stop every process: an idle server that polls must not cost another one its CPU."""
    _signal(running, signal.SIGSTOP)


def resume(running: Running) -> None:
    _signal(running, signal.SIGCONT)


def _signal(running: Running, number: int) -> None:
    for root in running.processes:
        # A parent first: it starts no more children then.
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


def _wait_until_answered(
    child: subprocess.Popen[bytes], command: Sequence[str], probe: urllib.request.Request, log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise CommandFailed(command, f"ended with {child.returncode} before it answered", log)
        try:
            with urllib.request.urlopen(probe, timeout=START_SECONDS):
                return
        except urllib.error.HTTPError as refused:
            raise CommandFailed(command, f"answered with {refused.code}: {refused.read()[:300]!r}", log) from refused
        except OSError:
            time.sleep(ASKED_EVERY_SECONDS)
    raise CommandFailed(command, f"did not answer within {START_SECONDS:g} s", log)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the whole group, and SIGKILL to what is left of it."""
    for number in (signal.SIGCONT, signal.SIGTERM):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(END_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
