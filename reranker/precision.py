"""Which device and which number format to compute in, decided by what the machine has and how fast that is."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any, Literal

import torch

from contract.errors import BadInput

Precision = Literal["auto", "float32", "bfloat16", "float16"]

# A half type must be this much faster than float32 to be worth its rounding in training.
WORTH = 1.2


def use_threads(count: int | None) -> None:
    """Torch's threads for this process; None or 0 leaves what torch chose."""
    if count:
        torch.set_num_threads(count)


def pick_device(setting: str) -> torch.device:
    """`auto` is CUDA where there is one, else the CPU. Raises BadInput for a device that this machine lacks."""
    if setting == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if setting.startswith("cuda") and not torch.cuda.is_available():
        raise BadInput(f"device {setting}: there is no CUDA here; set it to cpu or auto")
    try:
        return torch.device(setting)
    except RuntimeError as error:
        raise BadInput(f"device {setting!r}: use cpu, cuda or auto") from error


def half_type(device: torch.device, precision: Precision = "auto") -> torch.dtype | None:
    """The half-precision format to train in on `device`; None for float32. Serving: reranker.loading.load_reranker.

    `auto` takes what is measured to be faster: on a CPU bf16 or float32, on CUDA fp16 too.
    """
    if precision != "auto":
        return None if precision == "float32" else getattr(torch, precision)
    return choose_half(_seconds(device.type))


def choose_half(seconds: Mapping[torch.dtype, float]) -> torch.dtype | None:
    """bf16 where it pays, as its gradients need no scaling; fp16 where it is much faster still; else float32."""
    best = torch.float32
    for half in (torch.bfloat16, torch.float16):
        if half in seconds and seconds[best] > WORTH * seconds[half]:
            best = half
    return None if best is torch.float32 else best


def mixed_precision(device: torch.device, half: torch.dtype | None) -> AbstractContextManager[Any]:
    """Autocast to `half` for a forward pass; nothing for None."""
    return nullcontext() if half is None else torch.autocast(device.type, dtype=half)


def gradient_scaler(device: torch.device, half: torch.dtype | None) -> Any:
    """Scales the loss where gradients would underflow: in fp16. Elsewhere it passes everything through."""
    return torch.amp.GradScaler(device.type, enabled=half is torch.float16)


@lru_cache
def _seconds(kind: str) -> dict[torch.dtype, float]:
    """Measured, some 20 ms once a process: instruction flags alone mislead.

    With AMX bf16 is several times faster; a Xeon with avx512_bf16 and no AMX gave 80 GFLOP/s in bf16, 140 in float32.
    Formats that the device only emulates are not tried.
    """
    device = torch.device(kind)
    formats = [torch.float32]
    if kind == "cuda":
        formats += [torch.bfloat16] if torch.cuda.is_bf16_supported(including_emulation=False) else []
        formats += [torch.float16]
    elif kind == "cpu":
        able = torch.cpu.get_capabilities()
        formats += [torch.bfloat16] if any(able.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16")) else []
    if len(formats) == 1:
        return {torch.float32: 1.0}
    return {number: _matmul_seconds(number, device) for number in formats}


def _matmul_seconds(kind: torch.dtype, device: torch.device) -> float:
    """The fastest of a few products of the size that an encoder layer has; on a GPU of as many tokens as fill it."""
    tokens = torch.ones(512 if device.type == "cpu" else 32_768, 384, dtype=kind, device=device)
    weight = torch.ones(1536, 384, dtype=kind, device=device)
    taken = []
    with torch.inference_mode():
        for _ in range(8):
            start = time.perf_counter()
            torch.nn.functional.linear(tokens, weight)
            if device.type == "cuda":
                torch.cuda.synchronize()
            taken.append(time.perf_counter() - start)
    return min(taken)
