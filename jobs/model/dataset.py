"""The queries of the temporal split, as records: what the pairs job wrote, read without Spark."""

from collections.abc import Collection, Mapping, Sequence
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
from jobs.model.draw import draw
from jobs.parquet import open_day
from reranker.boosting import BOOSTED, Trees
from reranker.encoding import TextEncoder
from reranker.examples import Example
from reranker.golden import GoldenQuery


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
    drawn = draw(lake, day, split, task, limit, seed, candidates, hit, needed)
    if not len(drawn):
        return []
    items = read_items(lake, day, drawn.cuts)
    rows = (row for table in drawn.tables(range(len(drawn.groups))) for row in table.to_pylist())
    queries = sorted((as_query(row, items, candidates) for row in rows), key=lambda query: query.query_id)
    if len({query.sources for query in queries}) > 1:
        raise other_sources(lake, day)
    return queries


def as_example(query: Query, encoder: TextEncoder, trees: Trees | None = None, trained_on: bool = False) -> Example:
    """A query with all of its candidates as a training example.

    With `trees` their score is the last feature; `trained_on`: of the ones that have not seen the query.

    Raises BadInput where a feature is no finite number. Serving takes it for an average one, as an answer is due;
    here there is time to mend what made it.
    """
    features = query.features()
    if not np.isfinite(features).all():
        row, column = np.argwhere(~np.isfinite(features))[0]
        raise BadInput(
            f"query {query.query_id}: the feature {feature_names(query.sources)[column]} of its candidate "
            f"{query.candidates.item_ids[row]} is {features[row, column]}: mend the records or the source that it "
            "comes from, and run training_pairs again"
        )
    if trees:
        boosted = trees.held_out(features, query.query_id) if trained_on else trees.score(features)
        features = np.column_stack((features, boosted))
    known = (query.items.get(item_id) or ItemRecord(item_id, "") for item_id in query.candidates.item_ids)
    return Example(
        encoder.query(query.user, query.context, query.items),
        tuple(encoder.item(item) for item in known),
        features,
        query.hits,
    )


def names_of(queries: Sequence[Query], trees: Trees | None = None) -> tuple[str, ...]:
    """The names of the features of `as_example`."""
    return (*feature_names(queries[0].sources), *((BOOSTED,) if trees else ()))


def as_query(row: dict[str, Any], items: Mapping[datetime, Mapping[str, ItemRecord]], candidates: int) -> Query:
    """A row of TRAINING_PAIRS with the first `candidates` of its list; `items` are the records as of each cut."""
    known = items[row["cut"]]
    sources = tuple(row["sources"])
    column = {name: place for place, name in enumerate(sources)}
    entries = row["entries"][:candidates]
    return Query(
        row["query_id"],
        msgspec.json.decode(row["user"], type=UserRecord) if row["user"] else None,
        tuple(known[item_id] for item_id in row["context"] if item_id in known),
        frozenset(row["labels"]),
        CandidateList.of(((e["item_id"], column[e["source"]], e["scores"]) for e in entries), len(sources)),
        known,
        sources,
    )


def read_items(lake: Lake, day: str, cuts: Collection[datetime]) -> dict[datetime, dict[str, ItemRecord]]:
    """The records of the catalogue as of each cut."""
    items = open_day(lake, "training_items", day)
    names = item_columns(items.schema.names)
    found: dict[datetime, dict[str, ItemRecord]] = {cut: {} for cut in cuts}
    for row in items.to_table(["cut", *names], filter=pc.field("cut").isin(sorted(cuts))).to_pylist():
        found[row["cut"]][row["item_id"]] = as_item(row)
    return found


def other_sources(lake: Lake, day: str) -> BadInput:
    """What to say of rows whose scores do not mean the same."""
    return BadInput(f"{lake.path('training_pairs', day)}: its rows have differing sources; run training_pairs again")
