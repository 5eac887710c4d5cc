"""The Spark half of an import: staged rows against the lake's, written beside the tables, and the journal of it."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from upath import UPath

from contract.schemas import EVENTS, ITEMS
from jobs.events.checks import COLUMNS, MAX_RAW_CHARACTERS
from jobs.events.files import Table
from jobs.events.journal import Journal
from jobs.events.ledger import Entry, catalogue_files, catalogue_stamp, find_entry
from jobs.events.merge import KNOWN, NEW, UNKNOWN_ITEM, as_quarantine, with_verdict, without_unknown_items
from jobs.events.staging import Tally
from jobs.lake import Lake
from jobs.spark import spark_session

_KEY = {"items": ("item_id", "updated_at"), "events": ("event_id",)}
_DDL = {"items": ITEMS, "events": EVENTS}
_TIME = {"items": "updated_at", "events": "ts"}
_EVER = "9999-12-31"


def merge_staged(lake: Lake, staging: UPath, tallies: Sequence[Tally], now: datetime, max_bad_share: float) -> Journal:
    """Write the new rows of the staged files to `staging`/new/<table>; what is to be moved is returned.

    Completes the tallies. Raises BadInput for a file with too many rows that other rows rule out.
    """
    spark = spark_session("import_events")
    at = f"{lake.root}/{staging.parent.name}/{staging.name}"
    judged: dict[Table, DataFrame] = {}
    for table in ("items", "events"):
        if any(tally.file.table == table for tally in tallies):
            rows = spark.read.parquet(f"{at}/{table}")
            judged[table] = with_verdict(rows, _KEY[table], list(COLUMNS[table]), _held(spark, lake, table))
    if "events" in judged:
        judged["events"] = without_unknown_items(judged["events"], _catalogue(spark, lake, judged.get("items")))
    judged = {table: frame.persist() for table, frame in judged.items()}
    try:
        for frame in judged.values():
            _count(frame, tallies)
        for tally in tallies:
            tally.refuse_if_bad(max_bad_share)
        for table, frame in judged.items():
            if any(tally.added for tally in tallies if tally.file.table == table):
                _write_new(frame, table, f"{at}/new/{table}")
            if any(tally.late for tally in tallies if tally.file.table == table):
                aside = as_quarantine(frame, table, list(COLUMNS[table]), MAX_RAW_CHARACTERS, now)
                aside.write.partitionBy("place").parquet(f"{at}/aside/{table}")
    finally:
        for frame in judged.values():
            frame.unpersist()
    return _journal(lake, staging, tallies, now)


def _held(spark: SparkSession, lake: Lake, table: Table) -> DataFrame | None:
    if not lake.days(table):
        return None
    return lake.read_until(spark, table, _EVER, _DDL[table]).select(*_KEY[table])


def _catalogue(spark: SparkSession, lake: Lake, new_items: DataFrame | None) -> DataFrame:
    held = lake.read_until(spark, "items", _EVER, ITEMS).select("item_id")
    if new_items is not None:
        held = held.union(new_items.where(F.col("verdict") == NEW).select("item_id"))
    return held.distinct()


def _count(judged: DataFrame, tallies: Sequence[Tally]) -> None:
    counts = judged.groupBy("place", "verdict").agg(F.count("*").alias("rows"), F.min("row_number").alias("first"))
    for row in counts.collect():
        tally = tallies[row["place"]]
        if row["verdict"] == NEW:
            tally.added = row["rows"]
        elif row["verdict"] == KNOWN:
            tally.known = row["rows"]
        else:
            tally.set_aside(row["verdict"], row["rows"], [row["first"]])
            tally.late += row["rows"]


def _write_new(judged: DataFrame, table: Table, path: str) -> None:
    # Rebalance: one file a day for a usual day, several for one that holds most of the rows.
    (
        judged.where(F.col("verdict") == NEW)
        .withColumn("day", F.date_format(_TIME[table], "yyyy-MM-dd"))
        .select(*COLUMNS[table], "day")
        .hint("rebalance", "day")
        .sortWithinPartitions("day", _TIME[table])
        .write.partitionBy("day")
        .parquet(path)
    )


def _journal(lake: Lake, staging: UPath, tallies: Sequence[Tally], now: datetime) -> Journal:
    moves = [
        (_relative(lake, file), f"{table}/{file.parent.name}/{file.name}")
        for table in ("items", "events")
        for file in _parts(staging / "new" / table)
    ]
    items = [target for _, target in moves if target.startswith("items/")]
    stamp = catalogue_stamp([*catalogue_files(lake), *items])
    removals: list[str] = []
    entries = []
    for place, tally in enumerate(tallies):
        file = tally.file
        aside = [staging / "rejected" / f"{place}.parquet"]
        aside += _parts(staging / "aside" / file.table / f"place={place}")
        aside = [path for path in aside if path.exists()]
        targets = [
            f"quarantine/day={now:%Y-%m-%d}/{file.digest}-{staging.name}-{part}.parquet" for part in range(len(aside))
        ]
        moves += [(_relative(lake, path), target) for path, target in zip(aside, targets, strict=True)]
        before = find_entry(lake, file.table, file.digest)
        removals += before.quarantine if before else ()
        entries.append(
            Entry(
                file.table,
                file.digest,
                file.name,
                tally.rows,
                tally.added + (before.added if before else 0),
                dict(tally.reasons),
                tuple(targets),
                stamp if UNKNOWN_ITEM in tally.reasons else None,
                now.isoformat(timespec="seconds"),
            )
        )
    return Journal(moves, removals, entries)


def _parts(folder: UPath) -> list[UPath]:
    if not folder.exists():
        return []
    inside = [part for entry in folder.iterdir() if entry.is_dir() for part in _parts(entry)]
    return inside + [entry for entry in folder.iterdir() if entry.name.endswith(".parquet")]


def _relative(lake: Lake, path: UPath) -> str:
    return path.path.removeprefix(lake.folder.path).lstrip("/")
