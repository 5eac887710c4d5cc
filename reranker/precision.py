"""Which device and which number format to compute in, decided by what the machine has."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def pick_device(setting: str) -> torch.device:
    """`auto` is CUDA where there is one, else the CPU."""
    if setting == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(setting)


def half_type(device: torch.device) -> torch.dtype | None:
    """The half-precision format that is fast on `device`; None where float32 is the faster.

    A CPU without bf16 instructions emulates them several times slower than float32.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16") else None
    return None


def mixed_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Autocast to the device's half type for a forward pass; nothing where it has none."""
    kind = half_type(device)
    return nullcontext() if kind is None else torch.autocast(device.type, dtype=kind)


def gradient_scaler(device: torch.device) -> Any:
    """Scales the loss where gradients would underflow: in fp16. Elsewhere it passes everything through."""
    return torch.amp.GradScaler(device.type, enabled=half_type(device) is torch.float16)
