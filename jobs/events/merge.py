"""Staged rows against the lake: Spark says which are not new, the others are laid out by day, ready to be moved."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce

import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from upath import UPath

from contract.schemas import EVENTS, ITEMS
from jobs.events.checks import COLUMNS
from jobs.events.days import write_by_day
from jobs.events.files import Table
from jobs.events.journal import Journal
from jobs.events.ledger import Entry, catalogue_files, catalogue_stamp, find_entry
from jobs.events.staging import Tally
from jobs.events.verdicts import UNKNOWN_ITEM, rows_not_new
from jobs.lake import Lake
from jobs.spark import spark_session

_KEY = {"items": ("item_id", "updated_at"), "events": ("event_id",)}
_DDL = {"items": ITEMS, "events": EVENTS}
_EVER = "9999-12-31"


def merge_staged(lake: Lake, staging: UPath, tallies: Sequence[Tally], now: datetime, max_bad_share: float) -> Journal:
    """Completes the tallies and returns what is to be moved from `staging` into the tables.

    Raises BadInput for a file with too many rows that other rows rule out.
    """
    verdicts = staging / "verdicts"
    spark = spark_session("import_events")
    _find_not_new(spark, lake, staging, tallies).write.parquet(f"{_url(lake, staging)}/verdicts")
    for place, tally in enumerate(tallies):
        not_new = pq.read_table(verdicts.path, filesystem=verdicts.fs, filters=[("place", "=", place)])
        write_by_day(staging, place, tally, not_new, now)
        tally.refuse_if_bad(max_bad_share)
    return _journal(lake, staging, tallies, now)


def _find_not_new(spark: SparkSession, lake: Lake, staging: UPath, tallies: Sequence[Tally]) -> DataFrame:
    staged: dict[Table, DataFrame] = {
        table: spark.read.parquet(f"{_url(lake, staging)}/{table}") for table in {tally.file.table for tally in tallies}
    }
    found = []
    for table, rows in staged.items():
        held = lake.read_until(spark, table, _EVER, _DDL[table]) if lake.days(table) else None
        catalogue = None
        if table == "events":
            catalogue = lake.read_until(spark, "items", _EVER, ITEMS).select("item_id")
            if "items" in staged:
                catalogue = catalogue.union(staged["items"].select("item_id"))
        found.append(rows_not_new(rows, _KEY[table], list(COLUMNS[table]), held, catalogue))
    return reduce(DataFrame.union, found)


def _journal(lake: Lake, staging: UPath, tallies: Sequence[Tally], now: datetime) -> Journal:
    moves = [
        (_relative(lake, file), f"{table}/{file.parent.name}/{file.name}")
        for table in ("items", "events")
        for day in _entries(staging / "new" / table)
        for file in _entries(day)
    ]
    items = [target for _, target in moves if target.startswith("items/")]
    stamp = catalogue_stamp([*catalogue_files(lake), *items])
    removals: list[str] = []
    entries = []
    for place, tally in enumerate(tallies):
        file = tally.file
        targets = []
        for aside in _entries(staging / "aside" / str(place)):
            targets.append(f"quarantine/day={now:%Y-%m-%d}/{file.table}-{file.digest}-{staging.name}-{aside.name}")
            moves.append((_relative(lake, aside), targets[-1]))
        before = find_entry(lake, file.table, file.digest)
        removals += before.quarantine if before else ()
        waits_for = stamp if UNKNOWN_ITEM in tally.reasons else None
        entries.append(
            Entry(
                table=file.table,
                digest=file.digest,
                file=file.name,
                rows=tally.rows,
                added=tally.added + (before.added if before else 0),
                reasons=dict(tally.reasons),
                quarantine=tuple(targets),
                waits_for=waits_for,
                imported_at=now.isoformat(timespec="seconds"),
            )
        )
    return Journal(moves, removals, entries)


def _url(lake: Lake, staging: UPath) -> str:
    return f"{lake.root}/{_relative(lake, staging)}"


def _entries(folder: UPath) -> list[UPath]:
    return sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.exists() else []


def _relative(lake: Lake, path: UPath) -> str:
    return path.path.removeprefix(lake.folder.path).lstrip("/")
