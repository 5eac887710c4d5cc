"""A worker keeps to one core, and changes it where others want that one.

Python runs one thread of a process at a time. Where its threads lie on several cores, each call of the system hands the
interpreter to a thread on another one, and the hand-over costs more than the call.
"""

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
# By how much of a core's time another one has to be freer: moving costs what the caches held.
FREER = 0.25

Busy = Mapping[int, float]


def busy_seconds() -> dict[int, float]:
    """What each core of this machine has worked since its start."""
    found = {}
    ticks = os.sysconf("SC_CLK_TCK")
    for line in Path("/proc/stat").read_text().splitlines():
        name, *times = line.split()
        if name.startswith("cpu") and name != "cpu":
            user, nice, system, _idle, _waiting, *interrupted = map(int, times[:8])  # then guests, who are users too
            found[int(name[3:])] = (user + nice + system + sum(interrupted)) / ticks
    return found


def keep_to(core: int) -> None:
    """All threads of this process; those that they start later follow."""
    for task in Path("/proc/self/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), {core})
        except ProcessLookupError:  # it ended meanwhile
            continue


class OneCore:
    """Of `allowed` cores, one. `busy` tells the seconds that each has worked, `own` what this process did of them."""

    def __init__(
        self,
        allowed: Collection[int],
        busy: Callable[[], Busy] = busy_seconds,
        own: Callable[[], float] = time.process_time,
        keep: Callable[[int], None] = keep_to,
        clock: Callable[[], float] = time.monotonic,
        draw: random.Random | None = None,
    ) -> None:
        self._allowed = set(allowed)
        self._busy, self._own, self._keep, self._clock = busy, own, keep, clock
        self._draw = draw or random.Random()
        self.core = self._draw.choice(sorted(allowed))
        self._before = self._seen()

    def start(self) -> None:
        """Now, and by a thread that ends with the process."""
        self._keep(self.core)
        threading.Thread(target=self._run, name="one core", daemon=True).start()

    def look(self) -> None:
        """Move to the core that others left freest since the last look, if that is worth it, or its own is gone.

        Workers that share a core see the same: each moves by even odds, so that they part. Raises OSError for a core
        that may not be used any more, and does not choose it again.
        """
        now = self._seen()
        others = self._others(now)
        self._before = now
        if not others:
            return
        freest = min(others, key=lambda core: others[core])
        lost = self.core not in others
        if lost or (others[self.core] - others[freest] > FREER and self._draw.random() < 0.5):
            log.debug("core %d is freer than %d", freest, self.core)
            self.core = freest
        try:
            self._keep(self.core)  # each time: a thread that a library started elsewhere is fetched, too
        except OSError:
            self._allowed.discard(self.core)
            raise

    def _seen(self) -> tuple[float, Busy, float]:
        return self._clock(), self._busy(), self._own()

    def _others(self, now: tuple[float, Busy, float]) -> dict[int, float]:
        """By core, the share of the time that others worked since the look before."""
        before = self._before
        seconds = max(now[0] - before[0], 1e-9)
        cores = self._allowed & now[1].keys() & before[1].keys()
        worked = {core: now[1][core] - before[1][core] - (core == self.core) * (now[2] - before[2]) for core in cores}
        return {core: spent / seconds for core, spent in worked.items()}

    def _run(self) -> None:
        told = False
        while True:
            time.sleep(LOOK_SECONDS)
            try:
                self.look()
            except (OSError, ValueError) as error:
                if not told:
                    log.warning("threads may be on any core: %s", error)
                told = True


def keep_to_one_core() -> None:
    """Where a process can choose, and has more cores than one. What comes of it is speed: no failure stops a start."""
    if not hasattr(os, "sched_setaffinity"):
        return
    try:
        allowed = os.sched_getaffinity(0)
        if len(allowed) > 1:
            OneCore(allowed).start()
    except (OSError, ValueError) as error:
        log.warning("threads may be on any core: %s", error)
