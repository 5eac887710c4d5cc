"""An encoder layer's products with its weights, as they are served: laid out once for the CPU's matrix kernels."""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

Activation = Callable[[Tensor], Tensor]


class Product(Protocol):
    """rows [..., in] times weights [out, in], and a bias [out] on top."""

    def __call__(self, rows: Tensor) -> Tensor: ...

    def activated(self, rows: Tensor, activation: Activation) -> Tensor: ...

    def plus(self, rows: Tensor, other: Tensor) -> Tensor:
        """And `other` [..., out], which stays as it is."""
        ...


class Plain:
    """By torch's public operations, on any device in any format."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._weight, self._bias = weight, bias

    def __call__(self, rows: Tensor) -> Tensor:
        return F.linear(rows, self._weight, self._bias)

    def activated(self, rows: Tensor, activation: Activation) -> Tensor:
        return activation(self(rows))

    def plus(self, rows: Tensor, other: Tensor) -> Tensor:
        return self(rows) + other


class LaidOut:
    """By oneDNN, with weights in the blocks that its kernels read, which `F.linear` makes anew in every call; what
    comes after a product is done while its result is in a register, and rounded once.

    Through the operations that torch.compile gives the CPU; no public function has them.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._weight, self._bias = torch.ops.mkldnn._reorder_linear_weight(weight), bias

    def __call__(self, rows: Tensor) -> Tensor:
        return self._product(rows, "none", "")

    def activated(self, rows: Tensor, activation: Activation) -> Tensor:
        # transformers wraps torch's own function.
        if getattr(activation, "act", None) is F.gelu:
            return self._product(rows, "gelu", "none")
        return activation(self(rows))

    def plus(self, rows: Tensor, other: Tensor) -> Tensor:
        found: Tensor = torch.ops.mkldnn._linear_pointwise.binary(rows, other, self._weight, self._bias, "add")
        return found

    def _product(self, rows: Tensor, after: str, form: str) -> Tensor:
        found: Tensor = torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, after, [], form)
        return found


def product(*linear: Any) -> Product:
    """Of one torch.nn.Linear, or of several that read the same rows, their results side by side.

    Weights that change later are not seen.
    """
    weight, bias = (torch.cat([getattr(part, name).detach() for part in linear]) for name in ("weight", "bias"))
    return LaidOut(weight, bias) if _able(weight) else Plain(weight, bias)


def _able(weight: Tensor) -> bool:
    """bfloat16 on a CPU with instructions for it: float32 was never slower by `F.linear`."""
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.bfloat16
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
