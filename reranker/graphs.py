"""What a GPU is told once and does again: CUDA graphs.

A pass over a small model is a hundred kernels or more of some microseconds each, and starting one from Python takes as
long. A graph starts all of them by one call.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import torch

Body = Callable[[], None]
# Libraries choose kernels and reserve memory in the first runs, which must not be recorded.
RUNS_BEFORE = 2
SPARE_BYTES = 1 << 30


class Recorder(Protocol):
    def __call__(self, body: Body) -> Body:
        """`body` as it can be done again. It reads and writes tensors that stay where they are, of shapes that stay,
        and asks nothing of the device."""
        ...


def recorder_for(device: torch.device) -> Recorder | None:
    """None where calls cost nothing beside what they start."""
    return CudaGraphs(device) if device.type == "cuda" else None


class CudaGraphs:
    """Records on a stream of its own, so that other threads go on working with the device meanwhile.

    All graphs share the memory of what lies between what they read and write: one at a time may run.
    """

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, body: Body) -> Body:
        here, device = torch.cuda.current_stream(self._stream.device), self._stream.device
        self._stream.wait_stream(here)
        try:
            with torch.cuda.stream(self._stream):
                for _ in range(RUNS_BEFORE):
                    body()
                # What lies in PyTorch's cache then cannot be taken by a recording, which fails beside it.
                if torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device) > SPARE_BYTES:
                    torch.cuda.empty_cache()
                replay: Body = self._recorded(body).replay
        finally:
            # Also of one that failed: what it was to write to is given to others now.
            here.wait_stream(self._stream)
        return replay

    def _recorded(self, body: Body) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        # Not `torch.cuda.graph`: it has the whole device stand still and hand its memory back, each time.
        graph.capture_begin(self._pool, capture_error_mode="thread_local")
        try:
            body()
        except BaseException:
            with suppress(RuntimeError):  # which says no more than that something failed before
                graph.capture_end()
            raise
        graph.capture_end()
        return graph
