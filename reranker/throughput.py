"""How fast a network trains, and what share that is of the fastest matrix product of this device."""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from reranker.network import CrossEncoder

# Backward computes two products for each of forward's: the gradients of the input and of the weight.
FORWARD_AND_BACKWARD = 3
# Long enough that a device is at its best, short enough for a CPU: 0.3 s where it makes 100 GFLOP/s.
MATRIX_SIZES = {"cpu": (512, 1024), "cuda": (4096, 8192)}
MATRIX_RUNS = 5


@dataclass
class Throughput:
    """What a run has done so far; `flops` count no padding; `seconds` count the making of examples, but no validation
    and no checkpoint."""

    pairs: int = 0
    flops: float = 0.0
    seconds: float = 0.0

    def metrics(self, device: torch.device, half: torch.dtype | None, devices: int = 1) -> dict[str, float]:
        """pairs/s, and the share of `matrix_rate` of all `devices` that they amount to."""
        if not self.seconds:
            return {}
        return {
            "pairs_per_second": self.pairs / self.seconds,
            "matrix_rate_share": self.flops / self.seconds / matrix_rate(device, half) / devices,
        }


def training_flops(network: CrossEncoder, frozen_layers: int, tokens: NDArray[np.int64]) -> float:
    """Floating point operations of a whole cross-encoder's training step over pairs of so many `tokens`, padding aside.

    Of the products of weights and of attention: the rest is nothing beside them. Frozen layers run forward alone;
    the last layer computes keys and values of every token, and all else of [CLS] only.
    """
    length = tokens.astype(np.float64)
    total = 0.0
    layers: list[Any] = list(network.encoder.encoder.layer)
    for place, layer in enumerate(layers):
        attention = layer.attention.self
        width = attention.query.weight.shape[0]
        around = sum(part.weight.numel() for part in (attention.key, attention.value))
        within = sum(
            part.weight.numel()
            for part in (attention.query, layer.attention.output.dense, layer.intermediate.dense, layer.output.dense)
        )
        asking = np.ones_like(length) if place == len(layers) - 1 else length
        forward = (2 * length * around + 2 * asking * within + 4 * asking * length * width).sum()
        total += float(forward) * (1 if place < frozen_layers else FORWARD_AND_BACKWARD)
    return total


@lru_cache
def matrix_rate(device: torch.device, half: torch.dtype | None) -> float:
    """FLOP/s of the fastest square matrix product in `half`, float32 for None; measured, once a process."""
    best = 0.0
    for size in MATRIX_SIZES.get(device.type, MATRIX_SIZES["cpu"]):
        one = torch.ones(size, size, dtype=half or torch.float32, device=device)
        for _ in range(MATRIX_RUNS):
            start = time.perf_counter()
            product = one @ one
            float(product[0, 0])  # a GPU has finished once its result is here
            best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best
