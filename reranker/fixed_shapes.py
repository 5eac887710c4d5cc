"""The few shapes that passes are made up to where a device is to do the same again and again."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from reranker.passes import QUERIES_AT_ONCE

# Of a GPU's tiles: rows of other lengths are computed as if they were that long anyway.
TILE = 8
LENGTHS = 4
FEWEST = 16
QUERIES = (1, 4, QUERIES_AT_ONCE)


class Shape(NamedTuple):
    """Of a pass over items: so many, of so many tokens each, beside so many queries."""

    items: int
    longest: int
    queries: int


class FixedShapes:
    """For at most `items` of at most `item_tokens`, beside queries of at most `query_tokens`, special ones counted.

    `query_lengths` are those that queries are read in; an item meets them padded to the longest of these. None is
    longer than `positions`, what the encoder can read.
    """

    def __init__(self, items: int, item_tokens: int, query_tokens: int, positions: int) -> None:
        self._items, self._longest = counts(items), lengths(item_tokens)
        self._queries = tuple(queries for queries in QUERIES if queries <= items)  # each has an item at least
        self.query_lengths = tuple(sorted({min(length, positions) for length in lengths(query_tokens)}))
        self.largest = Shape(self._items[-1], self._longest[-1], self._queries[-1])

    def __iter__(self) -> Iterator[Shape]:
        """The largest first."""
        sizes = product(reversed(self._items), reversed(self._longest), reversed(self._queries))
        return (Shape(*size) for size in sizes if size[0] >= size[2])

    def holding(self, items: int, longest: int, queries: int) -> Shape | None:
        """The smallest that these fit into; None where they are too many or too long."""
        asking, wide = _least(self._queries, queries), _least(self._longest, longest)
        if asking is None or wide is None:
            return None
        many = _least(self._items, max(items, asking))
        return None if many is None else Shape(many, wide, asking)

    def of_queries(self) -> Iterator[tuple[int, int]]:
        """Queries that are read together, and their length, the largest first."""
        return product(reversed(self._queries), reversed(self.query_lengths))

    def holding_queries(self, queries: int, longest: int) -> tuple[int, int] | None:
        many, wide = _least(self._queries, queries), _least(self.query_lengths, longest)
        return None if many is None or wide is None else (many, wide)


def counts(most: int) -> tuple[int, ...]:
    """16, 24, 32, 48, 64 and so on, and `most`: from 16 on never half as many again as are needed."""
    steps = sorted(size << step for size in (FEWEST, FEWEST * 3 // 2) for step in range(most.bit_length()))
    return (*(count for count in steps if count < most), most)


def lengths(most: int) -> tuple[int, ...]:
    """LENGTHS of them, evenly up to `most`, in whole tiles."""
    return tuple(sorted({-(-most * part // LENGTHS // TILE) * TILE for part in range(1, LENGTHS + 1)}))


def _least(sizes: tuple[int, ...], needed: int) -> int | None:
    return next((size for size in sizes if size >= needed), None)
