"""Staged rows laid out as the tables are, one folder a day, without those that Spark found not to be new."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pyarrow as pa
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
    verdicts = dict(zip(not_new["row_number"].to_pylist(), not_new["verdict"].to_pylist(), strict=True))
    counts = Counter(verdicts.values())
    tally.known = counts.pop(KNOWN, 0)
    tally.added = tally.kept - len(verdicts)
    late = {row: verdict for row, verdict in verdicts.items() if verdict != KNOWN}
    for row, verdict in sorted(late.items()):
        tally.set_aside(row, verdict)
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
        if late:
            with quarantine_writer(staging / "aside" / str(place) / "late.parquet") as aside:
                for batch in parquet.iter_batches():
                    rejected = _ruled_out(batch, late)
                    if rejected:
                        aside.write_table(quarantined(rejected, tally.file, now))


def _new_batches(
    parquet: pq.ParquetFile, not_new: np.ndarray, schema: pa.Schema, time: str
) -> Iterator[pa.RecordBatch]:
    for batch in parquet.iter_batches():
        kept = ~np.isin(batch["row_number"].to_numpy(), not_new) if len(not_new) else None
        rows = batch if kept is None else batch.filter(pa.array(kept))
        day = rows[time].cast(pa.date32()).cast(pa.string())
        yield pa.RecordBatch.from_arrays([*(rows[name] for name in schema.names[:-1]), day], schema=schema)


def _ruled_out(batch: pa.RecordBatch, late: dict[int, str]) -> list[Rejected]:
    numbers = batch["row_number"].to_numpy()
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    del columns["row_number"], columns["place"]
    rows = np.flatnonzero(np.isin(numbers, list(late)))
    return [Rejected(int(numbers[row]), late[int(numbers[row])], raw_row(columns, row)) for row in rows]
