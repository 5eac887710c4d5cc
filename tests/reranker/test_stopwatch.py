"""The time of parts of a computation, on a CPU and on a GPU that the test plays."""

import pytest
import torch

from reranker.stopwatch import Stopwatch


class Event:
    """As CUDA's: it cannot be read before it was recorded."""

    clock = 0.0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing
        self.at: float | None = None

    def record(self) -> None:
        Event.clock += 5.0
        self.at = Event.clock

    def elapsed_time(self, end: "Event") -> float:
        if self.at is None or end.at is None:
            raise ValueError("both events must be recorded")
        return end.at - self.at


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    monkeypatch.setattr("torch.cuda.Event", Event)
    return Stopwatch(torch.device("cuda"))


def test_times_of_a_gpu_add_up_and_begin_anew(gpu: Stopwatch) -> None:
    for _ in range(2):
        with gpu.running():
            pass

    assert gpu.seconds() == pytest.approx(0.010)
    assert gpu.seconds() == 0.0


def test_what_fails_is_not_counted_and_breaks_nothing_after_it(gpu: Stopwatch) -> None:
    with pytest.raises(MemoryError), gpu.running():
        raise MemoryError
    with gpu.running():
        pass

    assert gpu.seconds() == pytest.approx(0.005)


def test_after_a_reset_the_device_is_not_asked(gpu: Stopwatch, monkeypatch: pytest.MonkeyPatch) -> None:
    with gpu.running():
        pass
    monkeypatch.setattr(Event, "elapsed_time", lambda *_: pytest.fail("it was asked"))
    gpu.reset()

    assert gpu.seconds() == 0.0


def test_on_a_cpu_a_failure_is_not_counted_either() -> None:
    watch = Stopwatch(torch.device("cpu"))
    with pytest.raises(MemoryError), watch.running():
        raise MemoryError
    assert watch.seconds() == 0.0
