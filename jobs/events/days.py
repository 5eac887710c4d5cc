"""Staged rows laid out as the tables are, one folder a day, without those that Spark found not to be new."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from upath import UPath

from jobs.events.checks import COLUMNS, Rejected, raw_row
from jobs.events.staging import Tally, quarantine_writer, quarantined, staged_file
from jobs.events.verdicts import KNOWN

_TIME = {"items": "updated_at", "events": "ts"}
# Rows a day that are gathered before they are written: many days in one batch would make tiny row groups.
_MIN_ROW_GROUP = 4096
_MAX_DAYS = 36_525


def write_by_day(staging: UPath, place: int, tally: Tally, not_new: pa.Table, now: datetime) -> None:
    """Write file `place`'s new rows to `staging`/new/<table>/day=..., and those ruled out to `staging`/aside.

    `not_new`: row_number and verdict (contract of jobs.events.verdicts). Completes the tally.
    """
    table = tally.file.table
    late = not_new.filter(pc.not_equal(not_new["verdict"], KNOWN)).sort_by("row_number")
    reasons = dict(zip(late["row_number"].to_pylist(), late["verdict"].to_pylist(), strict=True))
    tally.known = len(not_new) - len(late)
    tally.added = tally.kept - len(not_new)
    for row_number, reason in reasons.items():
        tally.set_aside(row_number, reason)
    schema = pa.schema(
        [*(pa.field(name, column.type) for name, column in COLUMNS[table].items()), ("day", pa.string())]
    )
    source = staged_file(staging, table, place)
    with source.open("rb") as stream, pq.ParquetFile(stream) as parquet:
        numbers = np.sort(not_new["row_number"].to_numpy())
        ds.write_dataset(
            _new_batches(parquet, numbers, schema, _TIME[table]) if tally.added else iter(()),
            (staging / "new" / table).path,
            schema=schema,
            filesystem=source.fs,
            format="parquet",
            partitioning=ds.partitioning(pa.schema([("day", pa.string())]), flavor="hive"),
            basename_template=f"{staging.name}-{place}-{{i}}.parquet",
            existing_data_behavior="overwrite_or_ignore",
            min_rows_per_group=_MIN_ROW_GROUP,
            max_partitions=_MAX_DAYS,
            max_open_files=256,
            use_threads=False,
        )
        if reasons:
            with quarantine_writer(staging / "aside" / str(place) / "late.parquet") as aside:
                for batch in parquet.iter_batches():
                    if rejected := _ruled_out(batch, reasons):
                        aside.write_table(quarantined(rejected, tally.file, now))


def _new_batches(
    parquet: pq.ParquetFile, not_new: np.ndarray, schema: pa.Schema, time: str
) -> Iterator[pa.RecordBatch]:
    for batch in parquet.iter_batches():
        numbers = batch["row_number"].to_numpy()
        # Row numbers ascend in the file: only this stretch of the sorted `not_new` can be in the batch.
        first, last = np.searchsorted(not_new, [numbers[0], numbers[-1]])
        rows = batch.filter(pa.array(~np.isin(numbers, not_new[first : last + 1])))
        day = rows[time].cast(pa.date32()).cast(pa.string())
        yield pa.RecordBatch.from_arrays([*(rows[name] for name in schema.names[:-1]), day], schema=schema)


def _ruled_out(batch: pa.RecordBatch, reasons: dict[int, str]) -> list[Rejected]:
    columns = {name: batch[name] for name in batch.schema.names if name not in ("row_number", "place")}
    return [
        Rejected(number, reasons[number], raw_row(columns, row))
        for row, number in enumerate(batch["row_number"].to_pylist())
        if number in reasons
    ]
