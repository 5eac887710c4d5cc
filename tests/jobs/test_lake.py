"""Days of a table: read, resolved and replaced."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from contract.errors import BadInput
from jobs.lake import Lake

DDL = "id STRING, at TIMESTAMP"
MAY_1 = datetime(2024, 5, 1, 10)


def ids(frame: DataFrame) -> list[str]:
    return sorted(row["id"] for row in frame.collect())


@pytest.fixture
def two_days(spark: SparkSession, lake: Lake) -> Lake:
    for day, id in (("2024-05-01", "a"), ("2024-05-02", "b")):
        lake.write_day(spark.createDataFrame([(id, MAY_1)], DDL), "things", day)
    return lake


def test_days_are_read_up_to_one(spark: SparkSession, two_days: Lake) -> None:
    assert two_days.days("things") == ["2024-05-01", "2024-05-02"]
    assert ids(two_days.read_until(spark, "things", "2024-05-01", DDL)) == ["a"]
    assert ids(two_days.read_until(spark, "things", "2024-05-02", DDL)) == ["a", "b"]
    assert ids(two_days.read_until(spark, "things", "2024-05-02", DDL, since="2024-05-02")) == ["b"]
    assert ids(two_days.read_until(spark, "others", "2024-05-02", DDL)) == []


def test_a_day_is_resolved_or_refused(two_days: Lake) -> None:
    assert two_days.resolve("latest", "things") == "2024-05-02"
    assert two_days.resolve("2020-02-29") == "2020-02-29"
    with pytest.raises(BadInput, match="give YYYY-MM-DD or latest"):
        two_days.resolve("2024-02-30")
    with pytest.raises(BadInput, match="import events first"):
        two_days.resolve("latest")
    with pytest.raises(BadInput, match="others has no day yet: run the job that writes others first"):
        two_days.resolve("latest", "others")


def test_the_latest_day_of_events_is_one_on_which_somebody_did_something(spark: SparkSession, lake: Lake) -> None:
    """What was shown this morning makes no night of today; nor does it of a lake whose events are old."""
    for day, type in (("2024-05-01", "click"), ("2024-05-02", "impression"), ("2024-05-03", "impression")):
        rows = [(type, MAY_1), ("impression", MAY_1)]
        lake.write_day(spark.createDataFrame(rows, "type STRING, at TIMESTAMP"), "events", day)
    assert lake.resolve("latest") == "2024-05-01"
    shutil.rmtree(lake.path("events", "2024-05-01"))
    with pytest.raises(BadInput, match="import events first"):
        lake.resolve("latest")


def test_a_day_may_be_replaced_by_what_is_made_of_it(spark: SparkSession, two_days: Lake) -> None:
    frame = two_days.read_day(spark, "things", "2024-05-01", DDL)
    two_days.write_day(frame.union(frame.withColumn("id", F.lit("c"))), "things", "2024-05-01")
    assert ids(two_days.read_day(spark, "things", "2024-05-01", DDL)) == ["a", "c"]
    assert ids(two_days.read_until(spark, "things", "2024-05-02", DDL)) == ["a", "b", "c"]
    assert list((Path(two_days.root) / "_staging").iterdir()) == []


def test_a_write_that_fails_leaves_the_day(spark: SparkSession, two_days: Lake) -> None:
    frame = two_days.read_day(spark, "things", "2024-05-01", DDL)
    failing = frame.withColumn("id", F.raise_error(F.lit("half way")).cast("string"))
    with pytest.raises(PySparkException, match="half way"):
        two_days.write_day(failing, "things", "2024-05-01")
    assert ids(two_days.read_day(spark, "things", "2024-05-01", DDL)) == ["a"]


def test_jobs_that_add_to_a_day_at_once_lose_nothing(spark: SparkSession, two_days: Lake) -> None:
    def add(id: str) -> None:
        two_days.add_to_day(spark.createDataFrame([(id, MAY_1)], DDL), "things", "2024-05-02")

    with ThreadPoolExecutor() as jobs:
        list(jobs.map(add, "cdefgh"))
    assert ids(two_days.read_day(spark, "things", "2024-05-02", DDL)) == list("bcdefgh")
    assert list((Path(two_days.root) / "_staging").iterdir()) == []


def test_a_missing_day_says_what_to_run(spark: SparkSession, two_days: Lake) -> None:
    with pytest.raises(BadInput, match="run the job that writes things for that day first"):
        two_days.read_day(spark, "things", "2024-05-03", DDL)


def test_times_are_standard_parquet(spark: SparkSession, two_days: Lake) -> None:
    files = Path(two_days.path("things", "2024-05-01")).glob("*.parquet")
    assert {str(pq.read_schema(file).field("at").type) for file in files} == {"timestamp[us, tz=UTC]"}
