"""The order of an epoch: decided by seed and epoch alone, so that a killed run finds its place again."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from reranker.examples import Example, sample_candidates

# Sorting by length within so many batches leaves the order random enough and little padding.
POOL_BATCHES = 16
AHEAD = 2

T = TypeVar("T")


class Pending(NamedTuple):
    """A query before its example is made: making it costs tokenising and features. `length` is of its text."""

    length: int
    example: Callable[[], Example]


class Source(Protocol):
    """Queries that can be gone through once an epoch, as many as `len` says."""

    def __len__(self) -> int: ...

    def epoch(self, seed: int, epoch: int, skip: int) -> Iterator[Pending]:
        """All queries but the first `skip`, in an order that `seed` and `epoch` alone decide."""
        ...


class InMemory:
    """A source of examples that are made already."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def epoch(self, seed: int, epoch: int, skip: int) -> Iterator[Pending]:
        for place in np.random.default_rng((seed, epoch)).permutation(len(self))[skip:]:
            example = self._examples[place]
            yield Pending(len(example.query), lambda example=example: example)  # type: ignore[misc]


def epoch_batches(
    source: Source, queries: int, candidates: int, seed: int, epoch: int, skip: int = 0, share: tuple[int, int] = (0, 1)
) -> Iterator[list[Example]]:
    """The examples of each step from step `skip` on: `queries` of them, of like length, each with `candidates` drawn.

    `share` (r, n) makes only every n-th example of each step, from the r-th on: the part of one of n processes. Which
    queries and candidates meet in a step depends on neither `skip` nor `share`.
    """
    first = skip // POOL_BATCHES
    waiting = source.epoch(seed, epoch, first * POOL_BATCHES * queries)
    for number in count(first):
        pool = list(islice(waiting, POOL_BATCHES * queries))
        if not pool:
            return
        by_length = sorted(range(len(pool)), key=lambda at: pool[at].length)
        parts = [by_length[at : at + queries] for at in range(0, len(pool), queries)]
        order = np.random.default_rng((seed, epoch, number)).permutation(len(parts))
        for part in order[skip % POOL_BATCHES if number == first else 0 :]:
            yield [
                sample_candidates(pool[at].example(), candidates, np.random.default_rng((seed, epoch, number, at)))
                for at in parts[part][share[0] :: share[1]]
            ]


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, AHEAD of them made by a thread while the caller works on one."""
    nothing = object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        waiting = deque(thread.submit(next, items, nothing) for _ in range(AHEAD))
        while (item := waiting.popleft().result()) is not nothing:
            waiting.append(thread.submit(next, items, nothing))
            yield item  # type: ignore[misc]
