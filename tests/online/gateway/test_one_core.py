"""A worker on one core, which it changes where others want it."""

import os
import random
from pathlib import Path

import pytest

from online.gateway.one_core import OneCore, busy_seconds, keep_to_one_core
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

    def worker(self, allowed: set[int], moves: bool = True) -> OneCore:
        """On the first of `allowed`."""

        class Draw(random.Random):
            def choice(self, seq):
                return seq[0]

            def random(self):
                return 0.4 if moves else 0.6

        return OneCore(allowed, lambda: dict(self.busy), lambda: self.own, self.keep, lambda: self.now, Draw())


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


def test_of_two_that_share_a_core_one_may_stay(machine) -> None:
    worker = machine.worker({0, 1}, moves=False)
    machine.works(10.0, {0: 5.0}, own=5.0, on=0)

    worker.look()

    assert worker.core == 0


def test_only_what_happened_since_the_last_look_counts(machine) -> None:
    worker = machine.worker({0, 1})
    machine.works(10.0, {0: 5.0}, own=5.0, on=0)
    worker.look()
    machine.works(10.0, {}, own=5.0, on=1)

    worker.look()

    assert worker.core == 1


def test_a_core_that_went_away_is_left_and_not_gone_to(machine) -> None:
    worker = machine.worker({0, 1, 2}, moves=False)
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

    keep_to_one_core()

    assert "threads may be on any core: not in this container" in caplog.text


def test_cores_have_worked_since_the_machine_began() -> None:
    before = busy_seconds()

    assert set(before) >= os.sched_getaffinity(0)
    assert sum(busy_seconds().values()) >= sum(before.values()) > 0


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core is all there is")
@pytest.mark.parametrize(("wanted", "cores"), [("true", 1), ("false", len(os.sched_getaffinity(0)))])
def test_all_threads_of_a_worker_are_on_its_core_if_that_is_wanted(tmp_path, wanted, cores) -> None:
    with running_stack(tmp_path, PACE_GATEWAY__ONE_CORE=wanted) as stack:
        publish(stack.client, stack.keys)
        with stack.gateway() as gateway:
            assert stack.ask()[0] == 200
            [worker] = [int(child) for child in _children(gateway.pid)]
            found = [os.sched_getaffinity(int(task.name)) for task in Path(f"/proc/{worker}/task").iterdir()]

    assert len(found) > 4
    assert {len(one) for one in found} == {cores}
    assert len(set.union(*found)) == cores


def _children(pid: int) -> list[str]:
    return [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
