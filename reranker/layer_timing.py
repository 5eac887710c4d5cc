"""Which number format an encoder layer is fastest in, and how long whole networks take: measured, side by side."""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from reranker.layers import run_layer
from reranker.packed import Whole

# A half type must be this much faster than float32 to be worth its rounding.
WORTH = 1.1
# Large enough that starting an operation costs nothing, small enough that all formats together take half a second.
PAIRS, TOKENS = 32, 32
ROUNDS = 5

_measured: dict[tuple[Any, ...], list[torch.dtype]] = {}


def faster_types(layer: Any, device: torch.device, split: bool) -> list[torch.dtype]:
    """bf16 and fp16, as far as `layer` is WORTH times faster in it than in float32; the fastest first.

    A whole layer, for a lone product misleads: on a Xeon with avx512_fp16 and no AMX products take as long in fp16
    as in float32, and the layer is 1.25 times faster, by what lies between them. On a CPU only formats that it has
    instructions for are tried, and as a layer of a `split` network is served, or of a whole one. Measured once a
    process for layers of a shape: models that are compared there are compared in one format.
    """
    shape = layer.attention.self.query.weight.shape, layer.intermediate.dense.out_features
    asked = (*shape, device, split, torch.get_num_threads())
    if asked not in _measured:
        kinds = (torch.float32, *_able_types(device))
        _measured[asked] = worth_taking(layer_seconds(layer, kinds, device, split)) if len(kinds) > 1 else []
    return _measured[asked]


def worth_taking(seconds: Mapping[torch.dtype, float]) -> list[torch.dtype]:
    """The formats that are WORTH times faster than float32, the fastest first."""
    worth = [kind for kind, taken in seconds.items() if seconds[torch.float32] > WORTH * taken]
    return sorted(worth, key=seconds.__getitem__)


def layer_seconds(
    layer: Any, kinds: Sequence[torch.dtype], device: torch.device, split: bool
) -> dict[torch.dtype, float]:
    """The least time of `layer` for a batch in each format, measured in turn: what else runs only ever adds to it."""
    hidden = layer.output.dense.out_features
    tokens = torch.linspace(-1, 1, PAIRS * TOKENS * hidden, device=device).view(PAIRS, TOKENS, hidden)
    present = torch.ones(PAIRS, TOKENS, dtype=torch.bool, device=device)

    def task(kind: torch.dtype) -> Callable[[], object]:
        own, states = copy.deepcopy(layer).to(kind), tokens.to(kind)
        if split:
            return partial(Whole(own).read, states, present)
        return lambda: run_layer(own, states, states, present)

    rounds = timed([task(kind) for kind in kinds], ROUNDS, device)
    return {kind: min(row[place] for row in rounds) for place, kind in enumerate(kinds)}


def timed(tasks: Sequence[Callable[[], object]], rounds: int, device: torch.device) -> list[list[float]]:
    """Seconds of every task in each round. One round before them is not counted."""
    out = []
    with torch.inference_mode():
        for _ in range(rounds + 1):
            row = []
            for task in tasks:
                _wait(device)
                start = time.perf_counter()
                task()
                _wait(device)
                row.append(time.perf_counter() - start)
            out.append(row)
    return out[1:]


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _able_types(device: torch.device) -> list[torch.dtype]:
    if device.type == "cuda":
        return [torch.bfloat16, torch.float16] if torch.cuda.is_bf16_supported(False) else [torch.float16]
    if device.type != "cpu":
        return []
    able = torch.cpu.get_capabilities()
    return [
        kind
        for kind, names in (
            (torch.bfloat16, ("amx_bf16", "avx512_bf16", "bf16")),
            (torch.float16, ("amx_fp16", "avx512_fp16", "fp16_arith")),
        )
        if any(able.get(name) for name in names)
    ]
