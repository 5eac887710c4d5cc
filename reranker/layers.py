"""One encoder layer, taken apart: who asks, who is asked, and what becomes of those who ask."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Attended(NamedTuple):
    """What n rows of b tokens answer with: keys and values [n, heads, b, size]; `present` bool[n, b], false where a
    row has no token."""

    keys: Tensor
    values: Tensor
    present: Tensor

    def of(self, rows: Tensor) -> "Attended":
        """The rows at `rows`, int64[m], which may repeat."""
        return Attended(*(part.index_select(0, rows) for part in self))

    def row(self, place: int, length: int) -> "Attended":
        """One row alone, copied, without what is behind its `length` tokens."""
        keys, values = (part[place : place + 1, :, :length].clone() for part in (self.keys, self.values))
        return Attended(keys, values, self.present.new_ones(1, length))

    def beside(self, other: "Attended") -> "Attended":
        """The tokens of both, row by row."""
        return Attended(
            torch.cat((self.keys, other.keys), 2),
            torch.cat((self.values, other.values), 2),
            torch.cat((self.present, other.present), 1),
        )


def run_layers(layers: Iterable[Any], hidden: Tensor, present: Tensor) -> Tensor:
    """[CLS] after the last of `layers`: [n, hidden]. The last one computes nothing but [CLS]."""
    *lower, last = layers
    for layer in lower:
        hidden = run_layer(layer, hidden, hidden, present)
    return run_layer(last, hidden[:, :1], hidden, present)[:, 0]


def run_layer(layer: Any, asking: Tensor, asked: Tensor, present: Tensor) -> Tensor:
    """One encoder layer for the tokens `asking` [n, a, hidden], which attend to `asked` [n, b, hidden].

    `present` bool[n, b] is false where `asked` is padding. Equal to the layer's own forward where both are the
    same tokens.
    """
    return ask(layer, asking, attended(layer, asked, present))


def attended(layer: Any, asked: Tensor, present: Tensor) -> Attended:
    """What the tokens `asked` [n, b, hidden] answer with."""
    attention = layer.attention.self
    return Attended(heads(attention, attention.key(asked)), heads(attention, attention.value(asked)), present)


def ask(layer: Any, asking: Tensor, asked: Attended) -> Tensor:
    """The tokens `asking` [n, a, hidden] after the layer.

    How many heads and neurons it has follows from its weights: pruned layers differ. Attention is plain matmul and
    softmax: its backward is faster on CPUs than the fused kernel's.
    """
    attention = layer.attention.self
    queries = heads(attention, attention.query(asking))
    weights = queries @ asked.keys.transpose(2, 3) * attention.attention_head_size**-0.5
    weights = weights.masked_fill(~asked.present[:, None, None, :], torch.finfo(weights.dtype).min)
    mixed = (weights.softmax(3) @ asked.values).transpose(1, 2).flatten(2)
    return finish(layer, mixed, asking)


def finish(layer: Any, mixed: Tensor, asking: Tensor) -> Tensor:
    """What follows attention: its output projection and the feed-forward part, each with its residual and norm."""
    mixed = layer.attention.output(mixed, asking)
    result: Tensor = layer.output(layer.intermediate(mixed), mixed)
    return result


def heads(attention: Any, projected: Tensor) -> Tensor:
    """[n, a, heads * size] as [n, heads, a, size]."""
    return projected.unflatten(2, (-1, attention.attention_head_size)).transpose(1, 2)
