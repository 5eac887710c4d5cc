"""What a check is: a frame of the lake, and what Great Expectations must find true of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from great_expectations.expectations import Expectation
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from contract.scenario import Scenario
from contract.settings import Settings
from jobs.lake import Lake


@dataclass(frozen=True)
class Scope:
    """What the checks of one run look at: a lake as of `day` (YYYY-MM-DD), at the time `now` (UTC)."""

    spark: SparkSession
    lake: Lake
    day: str
    settings: Settings
    scenario: Scenario
    now: datetime
    _read: dict[str, DataFrame] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        """The first instant after `day`, UTC."""
        return start_of(self.day) + timedelta(days=1)

    def last_days(self, table: str, ddl: str, days: int) -> DataFrame:
        """The rows of the last `days` days up to `day`, each with its `day`; 0 reads every day up to it."""
        since = (self.end - timedelta(days=days)).date().isoformat() if days else ""
        return self.rows(table, ddl).where((F.col("day") >= since) & (F.col("day") <= self.day))

    def rows(self, table: str, ddl: str) -> DataFrame:
        """Every row of `table`, each with its `day`; none where the lake has no such table."""
        # Once a run: to list the files of a year of days costs a second or two.
        if table not in self._read:
            schema = StructType.fromDDL(f"{ddl}, day STRING")
            self._read[table] = (
                self.spark.read.schema(schema).parquet(self.lake.path(table))
                if self.lake.days(table)
                else self.spark.createDataFrame([], schema)
            )
        return self._read[table]

    def that_day(self, table: str, ddl: str) -> DataFrame:
        """The rows of `day`. Raises BadInput where the table lacks it."""
        return self.lake.read_day(self.spark, table, self.day, ddl)


@dataclass(frozen=True)
class Check:
    """One suite of expectations and the frame that they are about.

    `name`: the suite's name in Data Docs. `table`: what a failure names. `keys`: columns of the frame
    that tell a failing row from others. Each expectation's `notes` say why it is there and what to do.
    """

    name: str
    table: str
    keys: Sequence[str]
    frame: Callable[[Scope], DataFrame]
    expectations: Callable[[Scope], list[Expectation]]


def start_of(day: str) -> datetime:
    """The first instant of `day`, UTC."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
