"""How much of the catalogue, and of what people do, the model has never seen."""

from collections.abc import Collection, Iterable
from datetime import date

import pyarrow.compute as pc

from jobs.lake import Lake
from jobs.parquet import open_day


def new_share(before: Collection[str], now: Collection[str]) -> float | None:
    """The share of the items of `now` that were not there before; None where there is none now."""
    return len(set(now).difference(before)) / len(set(now)) if now else None


def unknown_share(lake: Lake, after: str, until: str, types: Iterable[str], known: Collection[str]) -> float | None:
    """The share of events of these types, after the day `after` up to `until`, on items not among `known`.

    None where there is no such event.
    """
    kinds, rows, strange = list(types), 0, 0
    names = set(known)
    for day in lake.days("events"):
        if not date.fromisoformat(after) < date.fromisoformat(day) <= date.fromisoformat(until):
            continue
        found = open_day(lake, "events", day).to_table(["item_id"], filter=pc.field("type").isin(kinds))
        for count in pc.value_counts(found["item_id"]).to_pylist():
            rows += count["counts"]
            strange += count["counts"] if count["values"] not in names else 0
    return strange / rows if rows else None
