"""The lake: Parquet tables under one path or URL, each `<table>/day=YYYY-MM-DD/`, rewritten a day at a time."""

from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType
from upath import UPath

from contract.errors import BadInput
from jobs.arguments import checked_day

# Beside the tables; the underscore hides it from whoever reads the lake with Spark.
STAGING = "_staging"


class Lake:
    """Reads and writes tables of contract.schemas. `root` is a path or a URL that Spark and fsspec both know."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")

    @property
    def folder(self) -> UPath:
        """The lake for those who need files, not tables."""
        return UPath(self.root)

    def path(self, table: str, day: str | None = None) -> str:
        base = f"{self.root}/{table}"
        return base if day is None else f"{base}/day={day}"

    def days(self, table: str) -> list[str]:
        """The days that `table` has, oldest first; empty where there is no table."""
        folder = UPath(self.path(table))
        if not folder.exists():
            return []
        return sorted(entry.name.removeprefix("day=") for entry in folder.iterdir() if entry.name.startswith("day="))

    def resolve(self, day: str, table: str = "events") -> str:
        """`latest` is the last day of `table`; of events, the last on which somebody did something.

        Impressions alone make no night: they come from the gateway up to this minute, or on a lake of old events.
        Raises BadInput for no such day, or for one that is no date.
        """
        if day == "latest":
            days = reversed(self.days(table))
            last = next((day for day in days if table != "events" or self._somebody_acted(day)), None)
            if last is None:
                first = "import events first (`python -m jobs import_events`)"
                raise BadInput(
                    f"{self.path(table)} has no day yet: "
                    f"{first if table == 'events' else f'run the job that writes {table} first'}"
                )
            return last
        return checked_day(day)

    def read_day(self, spark: SparkSession, table: str, day: str, ddl: str) -> DataFrame:
        """One day of `table` in the schema `ddl`. Raises BadInput where that day is missing."""
        if day not in self.days(table):
            raise BadInput(
                f"{self.path(table, day)} does not exist: run the job that writes {table} for that day first"
            )
        return spark.read.schema(StructType.fromDDL(ddl)).parquet(self.path(table, day))

    def read_until(self, spark: SparkSession, table: str, day: str, ddl: str, since: str = "") -> DataFrame:
        """Every day of `table` from `since` up to `day`, both included; an empty frame where there is none."""
        schema = StructType.fromDDL(ddl)
        if not self.days(table):
            return spark.createDataFrame([], schema)
        whole = spark.read.schema(StructType([*schema.fields, *StructType.fromDDL("day STRING").fields]))
        return whole.parquet(self.path(table)).where(F.col("day").between(since, day)).drop("day")

    def write_day(self, frame: DataFrame, table: str, day: str) -> None:
        """Replace one day of `table` by `frame`, which may read that very day.

        A failure or a kill while Spark writes leaves the day as it was. The exchange itself is two renames:
        a kill between them leaves the day missing (run the job again). On object stores a rename copies
        file by file, so that readers may meet half a day until it ends.
        """
        staged = self._staged(frame, table)
        retired = staged.with_name(f"{staged.name}-old")
        target = UPath(self.path(table, day))
        files = target.fs
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            files.mv(target.path, retired.path, recursive=True)
        files.mv(staged.path, target.path, recursive=True)
        if retired.exists():
            files.rm(retired.path, recursive=True)

    def add_to_day(self, frame: DataFrame, table: str, day: str) -> None:
        """Add the rows of `frame` to one day of `table`; several jobs may do so at once.

        Spark's own append may not: the first job to commit removes what the others have written so far.
        """
        staged, target = self._staged(frame, table), UPath(self.path(table, day))
        target.mkdir(parents=True, exist_ok=True)
        for part in staged.glob("*.parquet"):
            target.fs.mv(part.path, (target / part.name).path)
        target.fs.rm(staged.path, recursive=True)

    def add_rows(self, rows: pa.Table, table: str, day: str) -> None:
        """As `add_to_day`, for rows that are here and need no Spark."""
        name = f"part-{uuid4().hex}.parquet"
        staged, target = self.folder / STAGING / name, UPath(self.path(table, day))
        for folder in (staged.parent, target):
            folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, staged.path, filesystem=staged.fs)
        target.fs.mv(staged.path, (target / name).path)

    def _somebody_acted(self, day: str) -> bool:
        folder = UPath(self.path("events", day))
        rows = ds.dataset(folder.path, filesystem=folder.fs, format="parquet")
        return len(rows.head(1, columns=["type"], filter=ds.field("type") != "impression")) > 0

    def _staged(self, frame: DataFrame, table: str) -> UPath:
        staged = self.folder / STAGING / f"{table.replace('/', '-')}-{uuid4().hex}"
        frame.write.parquet(f"{self.root}/{STAGING}/{staged.name}")
        return staged
