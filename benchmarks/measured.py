"""A command in a process of its own, with what it took: time, CPU, and the peak memory of its whole tree."""

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """`peak_tree_bytes`: resident memory of all processes at one moment (pages they share count in each);
    `peak_process_bytes`: of the largest one."""

    seconds: float
    cpu_seconds: float
    peak_tree_bytes: int
    peak_process_bytes: int


class CommandFailed(Exception):
    """The command under measurement did not succeed: `why` in short; the text ends with its last lines of output."""

    def __init__(self, command: Sequence[str], why: str, log: Path) -> None:
        self.why = why
        tail = log.read_text(errors="replace").splitlines()[-15:]
        super().__init__(f"{' '.join(command)}: {why}\n" + "\n".join(tail))


def measure(
    command: Sequence[str], log: Path, env: Mapping[str, str] | None = None, limit_seconds: float = math.inf
) -> Measured:
    """Run `command` to its end, its output into `log`. Raises CommandFailed, also when the limit has stopped it.

    Memory is sampled every 0.1 s: a shorter peak may be missed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, start_new_session=True
        )
        peak_tree = peak_process = 0
        status = None
        try:
            while status is None:
                sizes = resident(process.pid)
                peak_tree = max(peak_tree, sum(sizes))
                peak_process = max([peak_process, *sizes])
                status, usage = reap(process)
                if status is None and time.monotonic() - started > limit_seconds:
                    raise CommandFailed(command, f"stopped after {limit_seconds:.0f} s", log)
                if status is None:
                    time.sleep(SAMPLE_SECONDS)
        except BaseException:
            # A session of its own gets no Ctrl-C from the terminal.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    if status:
        raise CommandFailed(command, f"exit status {status}", log)
    return Measured(time.monotonic() - started, usage, peak_tree, peak_process)


def resident(pid: int) -> list[int]:
    """Resident bytes of a process and of each of its descendants; what has just ended is left out."""
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return [0]
    sizes = []
    for process in tree:
        try:
            sizes.append(process.memory_info().rss)
        except psutil.Error:
            continue
    return sizes or [0]


def reap(process: subprocess.Popen[bytes]) -> tuple[int | None, float]:
    """(exit status, CPU seconds of it and of the children that it waited for); None while it runs."""
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if not pid:
        return None, 0.0
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def python(module: str, *args: str) -> list[str]:
    """`python -m module args`, with this interpreter."""
    return [sys.executable, "-m", module, *args]
