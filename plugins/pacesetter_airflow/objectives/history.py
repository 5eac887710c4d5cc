"""The lake's table `slo_verdicts`: a Parquet file a day, which is replaced whole.

A day has under a thousand rows and one writer (`max_active_runs=1`), and a row changes once more when its mail is out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from contract.errors import BadInput
from pacesetter_airflow.objectives.record import SENT, Record

TABLE = "slo_verdicts"
# The days that are read, by the days that there are: whoever was away for a month finds what was open.
DAYS = 14

_TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("time", _TIME),
        ("run", pa.string()),
        ("objective", pa.string()),
        ("verdict", pa.string()),
        ("why", pa.string()),
        ("kind", pa.string()),
        ("description", pa.string()),
        ("promised", pa.string()),
        ("value", pa.float64()),
        ("shown", pa.string()),
        ("bound", pa.float64()),
        ("at_most", pa.bool_()),
        ("window_seconds", pa.int64()),
        ("budget_left", pa.float64()),
        ("budget_seconds", pa.int64()),
        ("answered", pa.bool_()),
        ("trainable", pa.bool_()),
        ("episode", pa.string()),
        ("mail", pa.string()),
        ("mailed_at", _TIME),
        ("set_off", pa.bool_()),
    ]
)


class History:
    """The table under `lake`, a path or a URL that fsspec knows."""

    def __init__(self, lake: str) -> None:
        self._lake = UPath(lake)

    def recent(self, days: int = DAYS) -> list[Record]:
        """The rows of the last `days` days that there are, oldest first. Raises BadInput for a damaged file."""
        table = self._lake / TABLE
        if not table.exists():
            return []
        names = sorted(entry.name for entry in table.iterdir() if entry.name.startswith("day="))
        return [record for name in names[-days:] for record in self._read(name.removeprefix("day="))]

    def put(self, records: Iterable[Record]) -> None:
        """Add rows, or replace those of the same key."""
        by_day: dict[str, list[Record]] = {}
        for record in records:
            by_day.setdefault(f"{record.time.astimezone(UTC):%Y-%m-%d}", []).append(record)
        for day, rows in by_day.items():
            kept = {row.key: row for row in [*self._read(day), *rows]}
            self._write(day, sorted(kept.values(), key=lambda row: (row.time, row.objective)))

    def mark(self, record: Record, mail: str, now: datetime) -> None:
        """What has become of the mail of `record`."""
        self.put([replace(record, mail=mail, mailed_at=now if mail == SENT else None)])

    def _file(self, day: str) -> UPath:
        return self._lake / TABLE / f"day={day}" / "verdicts.parquet"

    def _read(self, day: str) -> list[Record]:
        file = self._file(day)
        if not file.exists():
            return []
        try:
            with file.open("rb") as stream:
                rows: list[dict[str, Any]] = pq.read_table(stream).to_pylist()
            return [Record(**row) for row in rows]
        except (pa.ArrowException, TypeError) as error:
            raise BadInput(
                f"{file} is no day of {TABLE} ({error}); move it away: what it knew of mails is lost"
            ) from error

    def _write(self, day: str, rows: Sequence[Record]) -> None:
        """Beside it first: a kill while it is written leaves the day as it was."""
        staged, file = self._lake / "_staging" / f"{TABLE}-{uuid4().hex}.parquet", self._file(day)
        for folder in (staged.parent, file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        with staged.open("wb") as stream:
            pq.write_table(pa.Table.from_pylist([asdict(row) for row in rows], SCHEMA), stream)
        file.fs.mv(staged.path, file.path)
