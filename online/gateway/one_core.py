"""A worker keeps to one core, which no other worker has, and changes it where others want that one.

Python runs one thread of a process at a time. Where its threads lie on several cores, each call of the system hands the
interpreter to a thread on another one, and the hand-over costs more than the call.
"""

import logging
import math
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
# By how much of a core's time another one has to be freer: moving costs what the caches held.
FREER = 0.25

Busy = Mapping[int, float]


def busy_seconds() -> dict[int, float]:
    """What each core of this machine has worked since its start, but for niced work, which makes way."""
    found = {}
    ticks = os.sysconf("SC_CLK_TCK")
    for line in Path("/proc/stat").read_text().splitlines():
        name, *times = line.split()
        if name.startswith("cpu") and name != "cpu":
            user, _nice, system, _idle, _waiting, *interrupted = map(int, times[:8])  # then guests, who are users too
            found[int(name[3:])] = (user + system + sum(interrupted)) / ticks
    return found


def keep_to(core: int) -> None:
    """All threads of this process; those that they start later follow."""
    for task in Path("/proc/self/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), {core})
        except ProcessLookupError:  # it ended meanwhile
            continue


def claim(core: int, among: str = "pacesetter-gateway") -> socket.socket | None:
    """The core as this process's own, until the socket is closed or the process ends; None if another one has it.

    A name in the kernel's own space of addresses: nothing listens there, no file stays, and each container has its own.
    Processes that claim under another name, `among` others, do not count.
    """
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0{among}-core-{core}")
    except OSError:
        name.close()
        return None
    return name


class Claim(Protocol):
    def close(self) -> None: ...


class OneCore:
    """Of `allowed` cores, one. `busy` tells the seconds that each has worked, `own` what this process did of them.

    Where all are claimed, `core` is None: its threads stay where the system puts them, until one can be claimed.
    """

    def __init__(
        self,
        allowed: Collection[int],
        busy: Callable[[], Busy] = busy_seconds,
        own: Callable[[], float] = time.process_time,
        claim: Callable[[int], Claim | None] = claim,
        keep: Callable[[int], None] = keep_to,
        clock: Callable[[], float] = time.monotonic,
        draw: random.Random | None = None,
    ) -> None:
        self._allowed = set(allowed)
        self._busy, self._own, self._try, self._keep, self._clock = busy, own, claim, keep, clock
        self.core: int | None = None
        self._claim: Claim | None = None
        order = sorted(allowed)
        (draw or random.Random()).shuffle(order)
        self._first_of(order)
        self._before = self._seen()

    def start(self) -> None:
        """Now, and by a thread that ends with the process."""
        self._stay()
        threading.Thread(target=self._run, name="one core", daemon=True).start()

    def look(self) -> None:
        """Move to the core that others left freest since the last look, if that is worth it, or its own is gone.

        Raises OSError for a core that may not be used any more, and does not choose it again.
        """
        now = self._seen()
        others = self._others(now)
        self._before = now
        if self.core not in others:
            self._give_up()
        wanted = math.inf if self.core is None else others[self.core]
        freest_first = sorted(others, key=lambda core: others[core])
        self._first_of([core for core in freest_first if wanted - others[core] > FREER])
        self._stay()

    def _stay(self) -> None:
        """Each time: a thread that a library started elsewhere is fetched, too."""
        if self.core is None:
            return
        try:
            self._keep(self.core)
        except OSError:
            self._allowed.discard(self.core)
            self._give_up()
            raise

    def _give_up(self) -> None:
        if self._claim is not None:
            self._claim.close()
        self._claim = self.core = None

    def _first_of(self, cores: Iterable[int]) -> None:
        """Claim one and take it."""
        for core in cores:
            if (claimed := self._try(core)) is not None:
                self._give_up()
                self._claim, self.core = claimed, core
                return

    def _seen(self) -> tuple[float, Busy, float]:
        return self._clock(), self._busy(), self._own()

    def _others(self, now: tuple[float, Busy, float]) -> dict[int, float]:
        """By core, the share of the time that others worked since the look before."""
        before = self._before
        seconds = max(now[0] - before[0], 1e-9)
        cores = self._allowed & now[1].keys() & before[1].keys()
        worked = {core: now[1][core] - before[1][core] for core in cores}
        if self.core is not None and self.core in worked:
            worked[self.core] = max(0.0, worked[self.core] - (now[2] - before[2]))
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


def keep_to_one_core(claim: Callable[[int], Claim | None] = claim) -> None:
    """Where a process can choose, and has more cores than one. What comes of it is speed: no failure stops a start."""
    if not hasattr(os, "sched_setaffinity"):
        return
    try:
        allowed = os.sched_getaffinity(0)
        if len(allowed) > 1:
            OneCore(allowed, claim=claim).start()
    except (OSError, ValueError) as error:
        log.warning("threads may be on any core: %s", error)
