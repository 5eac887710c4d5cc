"""A day of a lake table for readers that need no Spark: a pyarrow dataset over the same path or URL."""

import pyarrow.dataset as ds
from upath import UPath

from contract.errors import BadInput
from jobs.lake import Lake


def open_day(lake: Lake, table: str, day: str) -> ds.Dataset:
    """The Parquet files of one day. Raises BadInput where that day is missing."""
    folder = UPath(lake.path(table, day))
    if not folder.exists():
        raise BadInput(f"{folder} does not exist: run the job that writes {table} for that day first")
    return ds.dataset(folder.path, filesystem=folder.fs, format="parquet")
