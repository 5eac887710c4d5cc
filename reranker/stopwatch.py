"""How long parts of a computation took on the device that they ran on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Stopwatch:
    """Adds up what ran under `running`, and did not fail. For one caller at a time.

    A GPU's kernels run on after the calls that started them have returned, so there events are recorded among them,
    and read once the device has caught up.
    """

    def __init__(self, device: torch.device) -> None:
        self._on_gpu = device.type == "cuda"
        self._seconds = 0.0
        self._events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        if self._on_gpu:
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            yield
            end.record()
            self._events.append((start, end))
        else:
            began = time.perf_counter()
            yield
            self._seconds += time.perf_counter() - began

    def reset(self) -> None:
        """Forget what was measured, without asking the device: its kernels may have failed."""
        self._seconds = 0.0
        self._events.clear()

    def seconds(self) -> float:
        """So far, from which on it begins anew. What was measured is done: its results have been read."""
        events, found = list(self._events), self._seconds
        self.reset()
        for start, end in events:
            found += float(start.elapsed_time(end)) / 1000
        return found
