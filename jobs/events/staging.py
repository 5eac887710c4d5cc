"""Checked copies of the input files beside the lake's tables: typed Parquet of good rows, and the rows set aside."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from contract.errors import BadInput
from jobs.events.checks import COLUMNS, Rejected, check_batch
from jobs.events.files import InputFile
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

    `reasons` counts the rows set aside, `late` those of them that only other rows ruled out;
    `first_rows` names some rows of each reason.
    """

    file: InputFile
    rows: int = 0
    added: int = 0
    known: int = 0
    late: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_rows: dict[str, list[int]] = field(default_factory=dict)

    def set_aside(self, reason: str, count: int, rows: list[int]) -> None:
        self.reasons[reason] += count
        named = self.first_rows.setdefault(reason, [])
        named += rows[: _ROWS_NAMED - len(named)]

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


def stage_file(file: InputFile, place: int, folder: UPath, now: datetime) -> Tally:
    """Write `folder`/<table>/<place>.parquet, and the rows set aside to `folder`/rejected/<place>.parquet.

    Raises BadInput as the readers do, and leaves half-written files behind: the caller drops the folder.
    """
    tally = Tally(file)
    schema = pa.schema(
        [
            *(pa.field(name, column.type) for name, column in COLUMNS[file.table].items()),
            pa.field("row_number", pa.int64()),
            pa.field("source_file", pa.string()),
            pa.field("place", pa.int32()),
        ]
    )
    with ExitStack() as open_files:
        good = open_files.enter_context(_writer(folder / file.table / f"{place}.parquet", schema))
        aside: Any = None
        for batch, rejected in read_parquet(file) if file.is_parquet else read_json_lines(file):
            rows, more = check_batch(file.table, batch, now)
            rejected = rejected + more
            tally.rows += len(batch.row_numbers) + len(rejected) - len(more)
            good.write_table(_marked(rows, file, place, schema))
            if rejected:
                if aside is None:
                    path = folder / "rejected" / f"{place}.parquet"
                    aside = open_files.enter_context(_writer(path, QUARANTINE))
                aside.write_table(_quarantined(sorted(rejected), file, now))
                for entry in rejected:
                    tally.set_aside(entry.reason, 1, [entry.row_number])
    return tally


def _writer(path: UPath, schema: pa.Schema) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    return pq.ParquetWriter(path.path, schema, filesystem=path.fs)


def _marked(rows: pa.Table, file: InputFile, place: int, schema: pa.Schema) -> pa.Table:
    name = pa.repeat(pa.scalar(file.name), len(rows))
    index = pa.repeat(pa.scalar(place, pa.int32()), len(rows))
    return rows.append_column("source_file", name).append_column("place", index).cast(schema)


def _quarantined(rejected: list[Rejected], file: InputFile, now: datetime) -> pa.Table:
    rows: Iterator[dict[str, Any]] = (
        {**entry._asdict(), "source_file": file.name, "table_name": file.table, "quarantined_at": now}
        for entry in rejected
    )
    return pa.Table.from_pylist(list(rows), QUARANTINE)
