"""An encoder layer's products with its weights, as they are served: laid out once for the CPU's matrix kernels."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

Activation = Callable[[Tensor], Tensor]


class Product(Protocol):
    """rows [..., in] times weights [out, in], and a bias [out] on top."""

    def __call__(self, rows: Tensor) -> Tensor: ...

    def activated(self, rows: Tensor, activation: Activation) -> Tensor:
        """`activation` of that."""
        ...

    def plus(self, rows: Tensor, other: Tensor) -> Tensor:
        """That and `other` [..., out] of the same format, which stays as it is."""
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
        # transformers wraps torch's function for the exact one; no other activation of its has it so.
        if getattr(activation, "act", None) is F.gelu:
            return self._product(rows, "gelu", "none")
        return activation(self(rows))

    def plus(self, rows: Tensor, other: Tensor) -> Tensor:
        found: Tensor = torch.ops.mkldnn._linear_pointwise.binary(rows, other, self._weight, self._bias, "add")
        return found

    def _product(self, rows: Tensor, after: str, form: str) -> Tensor:
        """`after`: oneDNN's operation on the result, in this form of it."""
        found: Tensor = torch.ops.mkldnn._linear_pointwise(rows, self._weight, self._bias, after, [], form)
        return found


def product(*linear: Any) -> Product:
    """Of one torch.nn.Linear, or of several that read the same rows, their results side by side.

    Weights that change later may be seen, or not.
    """
    weights, biases = ([getattr(part, name).detach() for part in linear] for name in ("weight", "bias"))
    # One alone is not copied.
    weight, bias = (each[0] if len(each) == 1 else torch.cat(each) for each in (weights, biases))
    # Of formats, only bfloat16 was measured to gain.
    able = weight.device.type == "cpu" and weight.dtype == torch.bfloat16 and laid_out_works()
    return LaidOut(weight, bias) if able else Plain(weight, bias)


@lru_cache
def laid_out_works() -> bool:
    """Whether this torch has LaidOut's operations, and bfloat16 comes out of them: tried once a process."""
    ones = torch.ones(16, 16, dtype=torch.bfloat16)
    try:
        with torch.no_grad():
            tried = LaidOut(ones, ones[0])
            found = torch.stack((tried(ones), tried._product(ones, "gelu", "none"), tried.plus(ones, ones)))
    except (AttributeError, RuntimeError, TypeError):  # as torch says it of what it lacks, cannot or calls otherwise
        return False
    return bool(found[:, 0, 0].tolist() == [17.0, 17.0, 18.0])
