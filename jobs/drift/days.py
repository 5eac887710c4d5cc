"""One day of the lake as columns, and as the requests that its candidates would have answered."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.codec import CandidateList
from contract.features import feature_names
from contract.merge import merge_query, popular_scores
from contract.records import ItemRecord, UserRecord
from jobs.candidates.rows import of_entries
from jobs.drift.distances import Values
from jobs.item_rows import as_item, item_columns
from jobs.lake import Lake
from jobs.model.dataset import Query
from jobs.parquet import open_day

EVERYONE = "all"
# Those that are no property of the thing: names, texts, and lists (whose lengths are looked at instead).
NAMES = ("item_id", "user_id", "title", "text")


class LakeDay:
    """What was published of `day`; a table that the lake has not is None."""

    def __init__(self, lake: Lake, day: str) -> None:
        self._lake = lake
        self.day = day

    def table(self, name: str) -> pa.Table | None:
        """Whole: 200,000 items are some 50 MB."""
        return open_day(self._lake, name, self.day).to_table() if self.day in self._lake.days(name) else None

    def columns(self, name: str) -> dict[str, Values] | None:
        """The table's columns as values; of a list its length, of a text its length."""
        table = self.table(name)
        return None if table is None else as_columns(table)

    def available_items(self) -> list[str] | None:
        table = self.table("item_features")
        return None if table is None else table.filter(pc.field("available"))["item_id"].to_pylist()

    @cached_property
    def _items(self) -> dict[str, ItemRecord]:
        table = self.table("item_features")
        rows = [] if table is None else table.select(item_columns(table.column_names)).to_pylist()
        return {row["item_id"]: as_item(row) for row in rows}

    def requests(self, sample: int, seed: int, candidates: int) -> list[Query] | None:
        """Requests as a gateway would have had them: half by a user alone, half by an item alone, drawn by `seed`.

        None where candidates or features of the day are missing. Fewer where it has fewer lists.
        """
        if any(self.day not in self._lake.days(name) for name in ("candidates", "item_features", "user_features")):
            return None
        lists = open_day(self._lake, "candidates", self.day)
        keys = lists.to_table(["kind", "key"])
        drawn = [(kind, key) for kind in ("user", "item") for key in _drawn(keys, kind, sample // 2, seed)]
        wanted = (pc.field("kind") == "segment") | pc.field("key").isin([key for _, key in drawn])
        table = lists.to_table(filter=wanted).combine_chunks()
        if not drawn or not len(table):
            return []
        sources = table["sources"][0].as_py()
        entries = of_entries(table["entries"].combine_chunks(), sources)
        found = dict(zip(zip(table["kind"].to_pylist(), table["key"].to_pylist(), strict=True), entries, strict=True))
        users = self._users([key for kind, key in drawn if kind == "user"])
        weights = table["weights"][0].as_py()
        return [
            self._request(kind, key, found, users.get(key), weights, tuple(sources), candidates) for kind, key in drawn
        ]

    def _users(self, ids: list[str]) -> dict[str, UserRecord]:
        users = open_day(self._lake, "user_features", self.day)
        rows = users.to_table(list(UserRecord.__struct_fields__), filter=pc.field("user_id").isin(ids)).to_pylist()
        return {row["user_id"]: UserRecord(**{**row, "history": tuple(row["history"] or ())}) for row in rows}

    def _request(
        self,
        kind: str,
        key: str,
        found: Mapping[tuple[str, str], CandidateList],
        user: UserRecord | None,
        weights: list[float],
        sources: tuple[str, ...],
        candidates: int,
    ) -> Query:
        asked_by = user if kind == "user" else None
        context = (self._items[key],) if kind == "item" and key in self._items else ()
        segments = [item.segment for item in context] + ([asked_by.segment] if asked_by else []) + [EVERYONE]
        merged = merge_query(
            found[kind, key] if kind == "user" else None,
            [found[kind, key]] if kind == "item" else [],
            popular_scores(
                [found["segment", one] for one in dict.fromkeys(segments) if ("segment", one) in found], len(weights)
            ),
            weights,
            {key} if kind == "item" else frozenset(),
            candidates,
        )
        return Query(f"{kind}:{key}", asked_by, context, frozenset(), merged, self._items, sources)


def feature_columns(requests: list[Query] | None) -> dict[str, Values] | None:
    """The dense features of every candidate of the requests, by their names."""
    if not requests:
        return None
    matrix = np.concatenate([request.features() for request in requests]).astype(np.float64)
    return {name: matrix[:, place] for place, name in enumerate(feature_names(requests[0].sources))}


def as_columns(table: pa.Table) -> dict[str, Values]:
    """Numbers and flags as float64 with NaN, words as objects with None, lists by their lengths."""
    found: dict[str, Values] = {}
    for name in table.column_names:
        column: Any = table[name]
        if name in NAMES:
            continue
        if pa.types.is_list(column.type) or pa.types.is_map(column.type):
            # Arrow counts a list's entries, and not a map's.
            column = pa.array([None if value is None else len(value) for value in column.to_pylist()], pa.int64())
        if pa.types.is_null(column.type):
            column = column.cast(pa.float64())
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            found[name] = np.array([np.nan if value is None else value for value in column.to_pylist()], np.float64)
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found[name] = np.array([*column.to_pylist(), None], object)[:-1]
    return found


def _drawn(keys: pa.Table, kind: str, count: int, seed: int) -> list[str]:
    """At most `count` keys of a kind; the same ones of every day that has them."""

    def place(key: str) -> bytes:
        return hashlib.blake2b(f"{seed}:{kind}:{key}".encode("utf-8", "replace"), digest_size=8).digest()

    return sorted(sorted(keys.filter(pc.field("kind") == kind)["key"].to_pylist(), key=place)[:count])
