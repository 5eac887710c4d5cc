"""The queries of the temporal split, as records: what the pairs job wrote, read without Spark."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pyarrow.compute as pc

from contract.codec import CandidateList
from contract.errors import BadInput
from contract.features import feature_names, pair_features
from contract.records import ItemRecord, UserRecord
from jobs.item_rows import as_item, item_columns
from jobs.lake import Lake
from jobs.parquet import open_day
from reranker.encoding import TextEncoder
from reranker.examples import Example
from reranker.golden import GoldenQuery

ROWS_PER_BATCH = 1000


@dataclass(frozen=True, eq=False)
class Query:
    """One query: what serving would have known of it at the time, and the `labels` that were taken then.

    `items` are the records of the whole catalogue as of its cut.
    """

    query_id: str
    user: UserRecord | None
    context: tuple[ItemRecord, ...]
    labels: frozenset[str]
    candidates: CandidateList
    items: Mapping[str, ItemRecord]
    sources: tuple[str, ...]

    @property
    def hits(self) -> np.ndarray:
        """float32[n]: 1 for a candidate that was taken."""
        return np.array([item_id in self.labels for item_id in self.candidates.item_ids], np.float32)

    def features(self) -> np.ndarray:
        """float32[n, features], of feature_names(self.sources)."""
        return pair_features(self.user, self.context, self.candidates, self.items, self.sources)

    def golden(self, candidates: int) -> GoldenQuery:
        """The first `candidates` of it as a golden query."""
        first = self.candidates.take(range(min(candidates, len(self.candidates))))
        return GoldenQuery.of(self.user, self.context, first, self.items, self.sources)


def read_queries(
    lake: Lake, day: str, split: str, task: str, limit: int, seed: int, candidates: int, hit: bool, needed: bool = True
) -> list[Query]:
    """At most `limit` queries of a split and task, drawn by `seed` and independent of the order in the files.

    Lists are cut to `candidates`. With `hit` only queries count that have a label among these: others teach
    nothing. Raises BadInput where the day is missing, where sources differ, or where queries are `needed` and
    there are none.
    """
    pairs = open_day(lake, "training_pairs", day)
    asked = (pc.field("split") == split) & (pc.field("task") == task)
    drawn = _draw(pairs.to_batches(filter=asked, batch_size=ROWS_PER_BATCH), seed, candidates, hit)
    chosen = sorted(query_id for _, query_id in sorted(drawn)[:limit])
    if not chosen and not needed:
        return []
    if not chosen:
        raise BadInput(
            f"{lake.path('training_pairs', day)}: no {split} query of task {task}"
            + (" has a taken item among its candidates" if hit else "")
            + ": import more events, or widen PACE_TRAINING__TRAIN_DAYS and PACE_TRAINING__TEST_DAYS"
        )
    rows = pairs.to_table(filter=asked & pc.field("query_id").isin(chosen)).to_pylist()
    items = _read_items(lake, day, {row["cut"] for row in rows})
    queries = [_query(row, items[row["cut"]], candidates) for row in sorted(rows, key=lambda row: row["query_id"])]
    if len({query.sources for query in queries}) != 1:
        raise BadInput(f"{lake.path('training_pairs', day)}: its rows have differing sources; run training_pairs again")
    return queries


def as_example(query: Query, encoder: TextEncoder) -> Example:
    """A query with all of its candidates as a training example."""
    known = (query.items.get(item_id) or ItemRecord(item_id, "") for item_id in query.candidates.item_ids)
    return Example(
        encoder.query(query.user, query.context, query.items),
        tuple(encoder.item(item) for item in known),
        query.features(),
        query.hits,
    )


def names_of(queries: Sequence[Query]) -> tuple[str, ...]:
    """The names of the features of `as_example`."""
    return feature_names(queries[0].sources)


def _draw(batches: Iterator[Any], seed: int, candidates: int, hit: bool) -> Iterator[tuple[bytes, str]]:
    """(place in a random order, query id) of every query that counts."""
    for batch in batches:
        names = ["query_id", "labels", "entries"] if hit else ["query_id"]
        for row in batch.select(names).to_pylist():
            if hit and not {entry["item_id"] for entry in row["entries"][:candidates]}.intersection(row["labels"]):
                continue
            place = hashlib.blake2b(f"{seed}:{row['query_id']}".encode(), digest_size=8).digest()
            yield place, row["query_id"]


def _query(row: dict[str, Any], items: Mapping[str, ItemRecord], candidates: int) -> Query:
    sources = tuple(row["sources"])
    column = {name: place for place, name in enumerate(sources)}
    entries = row["entries"][:candidates]
    return Query(
        row["query_id"],
        msgspec.json.decode(row["user"], type=UserRecord) if row["user"] else None,
        tuple(items[item_id] for item_id in row["context"] if item_id in items),
        frozenset(row["labels"]),
        CandidateList.of(((e["item_id"], column[e["source"]], e["scores"]) for e in entries), len(sources)),
        items,
        sources,
    )


def _read_items(lake: Lake, day: str, cuts: set[datetime]) -> dict[datetime, dict[str, ItemRecord]]:
    """The records of the catalogue as of each cut."""
    items = open_day(lake, "training_items", day)
    names = item_columns(items.schema.names)
    found: dict[datetime, dict[str, ItemRecord]] = {cut: {} for cut in cuts}
    for row in items.to_table(["cut", *names], filter=pc.field("cut").isin(sorted(cuts))).to_pylist():
        found[row["cut"]][row["item_id"]] = as_item(row)
    return found
