"""Slates of the stream as rows of `events`, one a shown item, in a Parquet file that the import reads."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from contract.errors import CorruptValue
from contract.store.impressions import Impression, ImpressionLog
from jobs.events.checks import Rejected
from jobs.events.times import TIMESTAMP

# Slates of one round trip, and of one row group; what is held in memory.
BATCH = 1000
# Damaged entries that go to the quarantine; of more the reasons are counted.
MAX_SET_ASIDE = 1000
_MAX_SECONDS = 9e12  # in microseconds it still fits into 64 bits
_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string()),
        pa.field("ts", TIMESTAMP),
        pa.field("type", pa.string()),
        pa.field("user_id", pa.string()),
        pa.field("session_id", pa.string()),
        pa.field("item_id", pa.string()),
        pa.field("position", pa.int32()),
        pa.field("recommendation_id", pa.string()),
    ]
)


@dataclass
class Reading:
    """What was read of the stream. `last`: the id of the last entry that was read, at first of the one before it.

    `damaged` has at most MAX_SET_ASIDE entries, by their number in this reading; `reasons` counts all of them.
    """

    last: bytes
    slates: int = 0
    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    damaged: list[Rejected] = field(default_factory=list)

    @property
    def entries(self) -> int:
        return self.slates + self.reasons.total()

    def set_aside(self, stream_id: bytes, reason: str) -> None:
        self.reasons[reason] += 1
        if len(self.damaged) < MAX_SET_ASIDE:
            self.damaged.append(Rejected(self.entries, reason, f"entry {stream_id.decode()}"))


def write_rows(stream: ImpressionLog, after: bytes, path: UPath) -> Reading:
    """Every entry behind the stream id `after`, written to `path` a batch at a time. Raises StoreUnreachable."""
    reading = Reading(after)
    with pq.ParquetWriter(path.path, _SCHEMA, filesystem=path.fs) as file:
        while True:
            batch = list(stream.read(reading.last, BATCH))
            rows = [row for stream_id, entry in batch for row in _rows(reading, stream_id, entry)]
            reading.rows += len(rows)
            if rows:
                file.write_table(pa.Table.from_pylist(rows, _SCHEMA))
            if len(batch) < BATCH:  # while slates are served there is always one more
                return reading


def _rows(reading: Reading, stream_id: bytes, entry: Impression | CorruptValue) -> list[dict[str, Any]]:
    """Counts the entry in `reading`."""
    reading.last = stream_id
    if isinstance(entry, CorruptValue):
        reading.set_aside(stream_id, str(entry))
        return []
    if not abs(entry.ts) < _MAX_SECONDS:
        reading.set_aside(stream_id, "ts: no time")
        return []
    reading.slates += 1
    shown = {
        "ts": round(entry.ts * 1_000_000),
        "type": "impression",
        "user_id": entry.user_id,
        "session_id": entry.session_id,
        "recommendation_id": entry.recommendation_id,
    }
    # The same for the same slate, so that what is read twice is known the second time.
    return [
        {**shown, "event_id": f"{entry.recommendation_id}-{position}", "item_id": item_id, "position": position}
        for position, item_id in enumerate(entry.item_ids)
    ]
