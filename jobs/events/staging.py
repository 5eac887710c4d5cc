"""Checked copies of the input files beside the lake's tables: typed Parquet of good rows, and the rows set aside."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from contract.errors import BadInput
from jobs.events.checks import COLUMNS, Rejected, check_batch
from jobs.events.files import InputFile, Table
from jobs.events.json_lines import read_json_lines
from jobs.events.parquet_rows import read_parquet
from jobs.events.times import TIMESTAMP

QUARANTINE = pa.schema(
    [
        pa.field("source_file", pa.string(), False),
        pa.field("row_number", pa.int64(), False),
        pa.field("table_name", pa.string(), False),
        pa.field("reason", pa.string(), False),
        pa.field("raw", pa.string()),
        pa.field("quarantined_at", TIMESTAMP, False),
    ]
)
_ROWS_NAMED = 5


@dataclass
class Tally:
    """What became of a file's rows.

    `kept` passed the checks of their own; of them `added` are new and `known` were there. `reasons` counts
    the rows set aside; `first_rows` names some of each reason.
    """

    file: InputFile
    rows: int = 0
    kept: int = 0
    added: int = 0
    known: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_rows: dict[str, list[int]] = field(default_factory=dict)

    def set_aside(self, row_number: int, reason: str) -> None:
        self.reasons[reason] += 1
        named = self.first_rows.setdefault(reason, [])
        if len(named) < _ROWS_NAMED:
            named.append(row_number)

    def refuse_if_bad(self, max_bad_share: float) -> None:
        """Raises BadInput once more than that share of the rows is bad: then the file is, not some rows of it."""
        bad = self.reasons.total()
        if bad <= max_bad_share * self.rows:
            return
        worst = "; ".join(
            f"{reason} ({count} rows, first {', '.join(map(str, self.first_rows[reason]))})"
            for reason, count in self.reasons.most_common(5)
        )
        raise BadInput(
            f"{self.file.name}: {bad} of {self.rows} rows are bad: {worst}. Nothing was imported: mend the file, "
            f"or raise PACE_SOURCE__MAX_BAD_SHARE ({max_bad_share:g})"
        )

    def __str__(self) -> str:
        why = ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())
        aside = f"{self.reasons.total()} set aside" + (f" ({why})" if why else "")
        return f"{self.file.table} {self.file.name}: {self.rows} rows, {self.added} new, {self.known} known, {aside}"


def staged_file(staging: UPath, table: Table, place: int) -> UPath:
    return staging / table / f"{place}.parquet"


def stage_file(file: InputFile, place: int, staging: UPath, now: datetime) -> Tally:
    """Write the good rows to `staged_file`, with their row_number and `place`, the others to `staging`/aside.

    Raises BadInput as the readers do, and leaves half-written files behind: the caller drops the folder.
    """
    tally = Tally(file)
    columns = [(name, column.type) for name, column in COLUMNS[file.table].items()]
    schema = pa.schema([*columns, ("row_number", pa.int64()), ("place", pa.int32())])
    with ExitStack() as open_files:
        good = open_files.enter_context(_writer(staged_file(staging, file.table, place), schema))
        aside: Any = None
        for batch, unread in read_parquet(file) if file.is_parquet else read_json_lines(file):
            rows, rejected = check_batch(file.table, batch, now)
            rejected = sorted(unread + rejected)
            tally.rows += len(rows) + len(rejected)
            tally.kept += len(rows)
            if len(rows):
                good.write_table(rows.append_column("place", pa.repeat(pa.scalar(place, pa.int32()), len(rows))))
            if rejected:
                aside = aside or open_files.enter_context(
                    quarantine_writer(staging / "aside" / str(place) / "checked.parquet")
                )
                aside.write_table(quarantined(rejected, file, now))
                for entry in rejected:
                    tally.set_aside(entry.row_number, entry.reason)
    return tally


def quarantine_writer(path: UPath) -> Any:
    return _writer(path, QUARANTINE)


def quarantined(rejected: list[Rejected], file: InputFile, now: datetime) -> pa.Table:
    """The rows as contract.schemas.QUARANTINE."""
    rows = [
        {**entry._asdict(), "source_file": file.name, "table_name": file.table, "quarantined_at": now}
        for entry in rejected
    ]
    return pa.Table.from_pylist(rows, QUARANTINE)


def _writer(path: UPath, schema: pa.Schema) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    return pq.ParquetWriter(path.path, schema, filesystem=path.fs)
