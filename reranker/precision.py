"""Which device and which number format to compute in, decided by what the machine has and how fast that is."""

from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import Any, Literal

import torch

from contract.errors import BadInput
from reranker.layer_timing import faster_types

Precision = Literal["auto", "float32", "bfloat16", "float16"]


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
    """The half-precision format to train in on `device`; None for float32. Serving: reranker.scoring.load_reranker.

    `auto` takes bf16 on CUDA where it has it, else fp16; on a CPU bf16 where it is measured to be faster.
    """
    if precision != "auto":
        return None if precision == "float32" else getattr(torch, precision)
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if device.type == "cpu" and _bf16_pays() else None


def mixed_precision(device: torch.device, half: torch.dtype | None) -> AbstractContextManager[Any]:
    """Autocast to `half` for a forward pass; nothing for None."""
    return nullcontext() if half is None else torch.autocast(device.type, dtype=half)


def gradient_scaler(device: torch.device, half: torch.dtype | None) -> Any:
    """Scales the loss where gradients would underflow: in fp16. Elsewhere it passes everything through."""
    return torch.amp.GradScaler(device.type, enabled=half is torch.float16)


@lru_cache(1)
def _bf16_pays() -> bool:
    """Measured, half a second once a process: instruction flags mislead, and so does a product without its layer.

    A Xeon with avx512_bf16 and no AMX is slower in bf16 than in float32; with AMX it is several times faster.
    """
    from transformers.models.bert.modeling_bert import BertConfig, BertLayer

    config = BertConfig(hidden_size=384, num_attention_heads=12, intermediate_size=1536)
    return torch.bfloat16 in faster_types(BertLayer(config).eval(), torch.device("cpu"))
