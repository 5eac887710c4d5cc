"""One item, one user and three lists, as a night leaves them in the lake."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.lake import Lake

DAY = "2011-12-09"
ITEM = {
    "item_id": "ä:1",  # not ASCII, and with the key grammar's own separator
    "title": "A lantern",
    "text": None,
    "categories": ["light"],
    "price": 2.5,
    "available": True,
    "segment": "light",
    "popularity_7d": 1,
    "popularity_30d": 2,
    "buyers_30d": 2,
    "age_days": 3.0,
}
USER = {
    "user_id": "u",
    "segment": "light",
    "history": ["ä:1"],
    "sessions": 1,
    "positives": 1,
    "mean_price": None,
    "days_since_last": 0.5,
}
ENTRIES = [
    {"item_id": "ä:1", "source": "popularity", "scores": [0.0, 1.0]},
    {"item_id": "b", "source": "als", "scores": [0.5, 0.25]},
]
LISTS = [
    {"kind": "segment", "key": "all", "sources": ["als", "popularity"], "weights": [1.0, 0.5], "entries": ENTRIES},
    {"kind": "user", "key": "u", "sources": ["als", "popularity"], "weights": [1.0, 0.5], "entries": ENTRIES[1:]},
    {"kind": "item", "key": "ä:1", "sources": ["als", "popularity"], "weights": [1.0, 0.5], "entries": []},
]


def write(lake: Lake, table: str, rows: list[dict[str, Any]]) -> None:
    folder = Path(lake.path(table, DAY))
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "part.parquet")


def write_tables(lake: Lake) -> None:
    write(lake, "item_features", [ITEM])
    write(lake, "user_features", [USER])
    write(lake, "candidates", LISTS)
