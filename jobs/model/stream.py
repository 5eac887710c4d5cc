"""Training queries straight from the files, epoch after epoch: memory holds a block of them, however many there are."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.lake import Lake
from jobs.model.dataset import Query, as_example, as_query, other_sources, read_items
from jobs.model.draw import Draw
from reranker.batches import Pending
from reranker.boosting import Trees
from reranker.encoding import TextEncoder
from reranker.texts import query_text

# Rows that are Python objects at a time; a block's others are Arrow columns, a tenth of their size.
ROWS_AT_ONCE = 64


class QueryStream:
    """The queries of a draw as a source of training examples (reranker.batches.Source).

    An epoch goes through the row groups in random order and shuffles the queries within blocks of `block`. Where all
    fit into one block, the order is the same however the files are cut. The catalogues of all cuts are in memory.
    """

    def __init__(self, lake: Lake, day: str, drawn: Draw, candidates: int, encoder: TextEncoder, block: int) -> None:
        self._lake, self._day, self._drawn = lake, day, drawn
        self._candidates, self._encoder, self._block = candidates, encoder, block
        self._items = read_items(lake, day, drawn.cuts)
        self._sources: tuple[str, ...] | None = None
        # Whose scores are a feature of the examples, once they are fitted.
        self.trees: Trees | None = None

    def __len__(self) -> int:
        return len(self._drawn)

    def sample(self, count: int) -> list[Query]:
        """At most `count` queries, the draw's first. Raises BadInput where sources differ."""
        return self._queries(self._drawn.first(count))

    def each(self, count: int) -> Iterator[Query]:
        """The same queries as `sample`, a few at a time and in the order of the files."""
        some = replace(self._drawn, group=self._drawn.group[:count], row=self._drawn.row[:count])
        for batch in some.tables(range(len(some.groups))):
            for start in range(0, len(batch), ROWS_AT_ONCE):
                yield from self._queries(batch.slice(start, ROWS_AT_ONCE).to_pylist())

    def epoch(self, seed: int, epoch: int, skip: int) -> Iterator[Pending]:
        """All queries but the first `skip`; blocks before that place are not read."""
        order = np.random.default_rng((seed, epoch)).permutation(len(self._drawn.groups)).tolist()
        begins = skip - skip % self._block
        for block in _blocks(self._drawn.tables(order, begins), self._block):
            ids = block["query_id"].to_pylist()
            shuffled = sorted(range(len(ids)), key=lambda at, ids=ids: _dice(seed, epoch, ids[at]))  # type: ignore[misc]
            left = shuffled[max(0, skip - begins) :]
            begins += len(ids)
            for start in range(0, len(left), ROWS_AT_ONCE):
                for query in self._queries(block.take(left[start : start + ROWS_AT_ONCE]).to_pylist()):
                    length = len(query_text(query.user, query.context, query.items, self._encoder.template.query))
                    yield Pending(length, partial(as_example, query, self._encoder, self.trees, True))

    def _queries(self, rows: Sequence[dict[str, Any]]) -> list[Query]:
        found = [as_query(row, self._items, self._candidates) for row in rows]
        self._sources = self._sources or found[0].sources
        if any(query.sources != self._sources for query in found):
            raise other_sources(self._lake, self._day)
        return found


def _blocks(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    """The same rows, `size` at a time; the last block may be smaller."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        while sum(map(len, waiting)) + len(batch) >= size:
            room = size - sum(map(len, waiting))
            yield pa.Table.from_batches([*waiting, batch.slice(0, room)]).combine_chunks()
            waiting, batch = [], batch.slice(room)
        if len(batch):
            waiting.append(batch)
    if waiting:
        yield pa.Table.from_batches(waiting).combine_chunks()


def _dice(seed: int, epoch: int, query_id: str) -> bytes:
    return hashlib.blake2b(f"{seed}:{epoch}:{query_id}".encode(), digest_size=8).digest()
