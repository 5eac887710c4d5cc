"""A worker on one core, which it changes where others want it."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from online.gateway.one_core import OneCore, busy_seconds, claim, keep_to_one_core
from tests.online.stack import running_stack
from tests.online.toy import publish


class Machine:
    """Cores, and what others and this process do on them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.busy = {0: 50.0, 1: 7.0, 2: 9.0}
        self.own = 1.0
        self.kept: list[int] = []
        self.refused: set[int] = set()
        self.claimed: set[int] = set()

    def keep(self, core: int) -> None:
        if core in self.refused:
            raise OSError("Invalid argument")
        self.kept.append(core)

    def works(self, seconds: float, others: dict[int, float], own: float, on: int) -> None:
        """For so long: others by core, this process on one."""
        self.now += seconds
        for core, spent in others.items():
            self.busy[core] += spent
        self.busy[on] += own
        self.own += own

    def claim(self, core: int) -> "Claimed | None":
        if core in self.claimed:
            return None
        self.claimed.add(core)
        return Claimed(self.claimed, core)

    def worker(self, allowed: set[int]) -> OneCore:
        """On the first of `allowed` that is to be had."""

        class Draw(random.Random):
            def shuffle(self, x) -> None: ...

        return OneCore(
            allowed, lambda: dict(self.busy), lambda: self.own, self.claim, self.keep, lambda: self.now, Draw()
        )


class Claimed(NamedTuple):
    claimed: set[int]
    core: int

    def close(self) -> None:
        self.claimed.remove(self.core)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_worker_moves_to_the_core_that_others_leave_freest(machine) -> None:
    worker = machine.worker({0, 1, 2})
    machine.works(10.0, {0: 5.0, 1: 1.0, 2: 0.5}, own=4.0, on=0)

    worker.look()

    assert (worker.core, machine.kept) == (2, [2])


def test_its_own_work_drives_no_worker_away(machine) -> None:
    worker = machine.worker({0, 1, 2})
    machine.works(10.0, {0: 0.5, 1: 0.0, 2: 0.0}, own=9.5, on=0)

    worker.look()

    assert worker.core == 0


def test_where_all_cores_are_wanted_it_stays(machine) -> None:
    worker = machine.worker({0, 1, 2})
    machine.works(10.0, {0: 9.0, 1: 8.0, 2: 7.0}, own=1.0, on=0)

    worker.look()

    assert worker.core == 0


def test_it_goes_nowhere_it_may_not(machine) -> None:
    worker = machine.worker({0, 1})
    machine.works(10.0, {0: 9.0, 1: 5.0, 2: 0.0}, own=1.0, on=0)

    worker.look()

    assert worker.core == 1


def test_two_workers_have_a_core_each_and_neither_takes_the_others(machine) -> None:
    one, other = machine.worker({0, 1}), machine.worker({0, 1})
    machine.works(10.0, {0: 8.0, 1: 0.0}, own=0.5, on=0)

    one.look()

    assert (one.core, other.core, machine.claimed) == (0, 1, {0, 1})


def test_a_worker_without_a_core_of_its_own_stays_anywhere_until_one_is_left(machine) -> None:
    one, other, late = (machine.worker({0, 1}) for _ in range(3))
    late.start()
    assert (one.core, other.core, late.core, machine.kept) == (0, 1, None, [])
    machine.claimed.remove(1)  # its process ended
    machine.works(10.0, {0: 1.0}, own=0.5, on=0)

    late.look()

    assert (late.core, machine.claimed) == (1, {0, 1})


def test_who_moves_leaves_its_core_to_others(machine) -> None:
    worker = machine.worker({0, 1})
    machine.works(10.0, {0: 5.0}, own=5.0, on=0)

    worker.look()

    assert (worker.core, machine.claimed) == (1, {1})


def test_only_what_happened_since_the_last_look_counts(machine) -> None:
    worker = machine.worker({0, 1})
    machine.works(10.0, {0: 5.0}, own=5.0, on=0)
    worker.look()
    machine.works(10.0, {}, own=5.0, on=1)

    worker.look()

    assert worker.core == 1


def test_a_core_that_went_away_is_left_and_not_gone_to(machine) -> None:
    worker = machine.worker({0, 1, 2})
    del machine.busy[2]
    del machine.busy[0]
    machine.works(10.0, {1: 9.0}, own=0.0, on=1)

    worker.look()

    assert worker.core == 1


def test_a_core_that_is_refused_is_not_chosen_again(machine) -> None:
    worker = machine.worker({0, 1, 2})
    machine.refused = {2}
    machine.works(10.0, {0: 9.0, 1: 1.0}, own=0.0, on=0)
    with pytest.raises(OSError, match="Invalid argument"):
        worker.look()
    machine.works(10.0, {0: 9.0, 1: 1.0}, own=0.0, on=0)

    worker.look()

    assert (worker.core, machine.kept) == (1, [1])


def test_a_worker_that_may_not_choose_starts_all_the_same(monkeypatch, caplog) -> None:
    def refuse(*of: object) -> None:
        raise PermissionError("not in this container")

    monkeypatch.setattr("online.gateway.one_core.os.sched_setaffinity", refuse)

    keep_to_one_core(Machine().claim)  # gateways elsewhere may have all of the real ones

    assert "threads may be on any core: not in this container" in caplog.text


def test_a_claim_holds_until_it_is_given_up() -> None:
    core = 10_000 + os.getpid()
    held = claim(core)
    assert held is not None
    assert claim(core) is None

    held.close()

    again = claim(core)
    assert again is not None
    again.close()


def test_cores_have_worked_since_the_machine_began() -> None:
    before = busy_seconds()

    assert set(before) >= os.sched_getaffinity(0)
    assert sum(busy_seconds().values()) >= sum(before.values()) > 0


ALONE = """
import functools, os, sys, threading
from online.gateway.one_core import claim, keep_to_one_core
early = threading.Thread(target=threading.Event().wait, daemon=True)
early.start()
keep_to_one_core(functools.partial(claim, among=sys.argv[1]))
late = threading.Thread(target=threading.Event().wait, daemon=True)
late.start()
print([sorted(os.sched_getaffinity(thread.native_id)) for thread in (threading.main_thread(), early, late)], flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core is all there is")
def test_all_threads_of_a_process_are_on_a_core_of_its_own() -> None:
    command = [sys.executable, "-c", ALONE, f"test-{os.getpid()}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        told = [json.loads(process.stdout.readline()) for process in (one, other)]
        one.stdin.close()
        other.stdin.close()

    cores = [{tuple(thread) for thread in threads} for threads in told]
    assert [len(found) for found in cores] == [1, 1]
    assert {len(core) for found in cores for core in found} == {1}
    assert cores[0] != cores[1]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core is all there is")
def test_a_gateways_worker_has_a_core_unless_others_have_all(tmp_path) -> None:
    with running_stack(tmp_path) as stack:
        publish(stack.client, stack.keys)
        with stack.gateway() as gateway:
            assert stack.ask()[0] == 200
            [cores] = _cores(gateway.pid)
            free = [name for core in os.sched_getaffinity(0) if (name := claim(core)) is not None]
            for name in free:
                name.close()

    assert len(cores) == 1 or not free


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core is all there is")
def test_threads_are_left_where_the_system_puts_them_if_that_is_wanted(tmp_path) -> None:
    with running_stack(tmp_path, PACE_GATEWAY__ONE_CORE="false") as stack:
        publish(stack.client, stack.keys)
        with stack.gateway() as gateway:
            assert stack.ask()[0] == 200

            assert _cores(gateway.pid) == [os.sched_getaffinity(0)]


def _cores(gateway: int) -> list[set[int]]:
    """By worker, the cores that its threads may be on."""
    return [
        set().union(*(os.sched_getaffinity(int(task.name)) for task in Path(f"/proc/{worker}/task").iterdir()))
        for worker in _children(gateway)
        if b"worker" in Path(f"/proc/{worker}/cmdline").read_bytes()
    ]


def _children(pid: int) -> list[str]:
    return [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
