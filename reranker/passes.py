"""What scoring asks of a device: a pass over queries, and a pass over items beside them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reranker.encoding import FramedTexts
from reranker.engine import Answers, Engine, States
from reranker.tokens import QUERY, TextTensors
from reranker.transfer import to_device

# In a pass, so that its memory is bounded whoever waits.
QUERIES_AT_ONCE = 16


class Asked(NamedTuple):
    """Of a pass over n items, from their states at `depth`: the first `counts[0]` are of `queries[0]`, and so on;
    `features` float32[n, features]."""

    queries: Sequence[Answers]
    counts: Sequence[int]
    states: States
    features: NDArray[np.float32]
    depth: int


class Passes(Protocol):
    """For one caller at a time."""

    def queries(self, texts: FramedTexts) -> list[Answers]:
        """What the tokens of each query, at most QUERIES_AT_ONCE, answer in each layer in which any level asks them."""
        ...

    def items(self, asked: Asked) -> Tensor:
        """Final and text scores float32[2, n], on the device."""
        ...


class Direct:
    """Each operation by a call of its own, in whatever shapes come."""

    def __init__(self, engine: Engine, lowest: int, device: torch.device) -> None:
        """`lowest`: the first layer in which any level asks queries."""
        self.engine, self.lowest, self.device = engine, lowest, device

    def queries(self, texts: FramedTexts) -> list[Answers]:
        return self.engine.queries(TextTensors.of(texts, QUERY, self.device), self.lowest)

    def items(self, asked: Asked) -> Tensor:
        cls = self.engine.cls(asked.queries, asked.counts, asked.states, asked.depth)
        return torch.stack(self.engine.network.judge(cls, to_device(asked.features, self.device)))


def in_passes(queries: Sequence[Sequence[Sequence[int]]], size: int) -> Iterator[NDArray[np.int64]]:
    """Places among the items of all queries, at most `size` of at most QUERIES_AT_ONCE queries in a pass, one query's
    after another's.

    A query's are in order of length, so that a pass of some of them has little padding; queries share a pass where
    they fit into it whole. Items of all in order of length would fill passes better and pad less, but meet a query in
    as many shapes as there are mixtures, and oneDNN prepares a product for each shape.
    """
    waiting: list[NDArray[np.int64]] = []
    first = 0
    for items in queries:
        order = first + np.argsort([len(item) for item in items], kind="stable")
        first += len(items)
        for start in range(0, len(items), size):
            part = order[start : start + size]
            if sum(map(len, waiting)) + len(part) > size or len(waiting) == QUERIES_AT_ONCE:
                yield np.concatenate(waiting)
                waiting = []
            waiting.append(part)
    if waiting:
        yield np.concatenate(waiting)
