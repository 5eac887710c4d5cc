"""Keeps account of every process that descends from the demo: its peak memory, and that none is left behind."""

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SAMPLE_SECONDS = 1.0
GRACE_SECONDS = 5.0


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies, so that they are still found. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """In a child before it executes: get SIGTERM when the parent dies, however it dies. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class Census:
    """Samples the descendants of this process every second, in a thread.

    Their peak resident memory and processor time are kept by label; their ids go to `record`, by which `make down`
    finds what a demo that was killed outright left behind.
    """

    def __init__(self, record: Path) -> None:
        self._record = record
        self._peaks: dict[str, int] = {}
        self._cpu: dict[tuple[int, float], tuple[str, float]] = {}
        self._seen: dict[int, float] = {}
        self.not_ours_to_reap: set[int] = set()  # children that a subprocess.Popen of this process waits for
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="census", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the sampling and every descendant that is left."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        end(psutil.Process().children(recursive=True))
        end(recorded(self._seen))
        self._record.unlink(missing_ok=True)

    def peaks_mib(self) -> dict[str, int]:
        """Peak resident memory in MiB by label, largest first. Pages that processes share count for each."""
        return {label: round(peak / 2**20) for label, peak in sorted(self._peaks.items(), key=lambda item: -item[1])}

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time by label, largest first: unlike the night's seconds it hardly depends on who else computes."""
        spent: Counter[str] = Counter()
        for label, seconds in list(self._cpu.values()):
            spent[label] += seconds
        return {label: round(seconds, 1) for label, seconds in spent.most_common()}

    def _watch(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self.sample()

    def sample(self) -> None:
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if process.status() == psutil.STATUS_ZOMBIE:
                    self._reap(process)
                    continue
                self._seen[process.pid] = process.create_time()
                label = label_of(process.cmdline() or [process.name()])
                self._peaks[label] = max(self._peaks.get(label, 0), process.memory_info().rss)
                spent = process.cpu_times()
                self._cpu[process.pid, process.create_time()] = (label, spent.user + spent.system)
        alive = {pid: created for pid, created in self._seen.items() if psutil.pid_exists(pid)}
        self._seen = alive
        partial = self._record.with_suffix(".partial")
        partial.write_text(json.dumps({str(pid): created for pid, created in {**alive, **own()}.items()}))
        partial.replace(self._record)

    def _reap(self, process: psutil.Process) -> None:
        """An orphan that was adopted and has ended would stay a zombie as long as the demo runs."""
        if process.pid not in self.not_ours_to_reap:
            with contextlib.suppress(ChildProcessError):  # not our child
                os.waitpid(process.pid, os.WNOHANG)


def label_of(command: list[str]) -> str:
    """What a process is, in a few words: `jobs train`, `spark candidates`, `airflow scheduler`."""
    words = " ".join(command).split()
    program = os.path.basename(words[0]) if words else ""
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word.endswith("jobs/__main__.py") or (word == "jobs" and index and words[index - 1] == "-m"):
            return f"{'spark' if program == 'java' else 'jobs'} {following}"
        if word.startswith(("online.", "ops.", "supervisor.")):
            return word
    if "airflow" in words[0:1] or words[0:1] == ["airflow:"] or "airflow" in words[1:3]:
        return " ".join(["airflow", *[word for word in words[1:4] if word not in ("-m", "airflow")]][:2])
    return program


def own() -> dict[int, float]:
    this = psutil.Process()
    return {this.pid: this.create_time()}


def read_record(record: Path) -> dict[int, float]:
    """Process ids with their time of creation, as a demo left them; empty where there is no record."""
    try:
        return {int(pid): float(created) for pid, created in json.loads(record.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def recorded(seen: dict[int, float]) -> list[psutil.Process]:
    """Those of `seen` that still run. A process id that another process has got since is not among them."""
    running = []
    for pid, created in seen.items():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 0.5 and process.status() != psutil.STATUS_ZOMBIE:
                running.append(process)
    return running


def end(processes: Iterable[psutil.Process]) -> None:
    """SIGTERM, and after a grace SIGKILL, to each that still runs."""
    left = list(processes)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, left = psutil.wait_procs(left, timeout=GRACE_SECONDS)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=GRACE_SECONDS)
