"""A small lake in which every expectation holds, and a way to break one table of it."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from contract.settings import Settings
from jobs.checks.check import Check, Scope
from jobs.checks.docs import DataDocs
from jobs.checks.report import Failure
from jobs.checks.run import run_checks
from jobs.lake import Lake
from tests.jobs.checks.small_lake import DAY, DDL, HEALTHY, NOW
from tests.scenarios import SAMPLE

Write = Callable[[str, str, Iterable[dict[str, Any]]], None]
Failed = Callable[[Check], list[Failure]]


def writer(spark: SparkSession, lake: Lake) -> Write:
    def write(table: str, day: str, rows: Iterable[dict[str, Any]]) -> None:
        # Nulls anywhere: what a table promises is for the suites to find out.
        schema = StructType.fromDDL(DDL[table].replace(" NOT NULL", ""))
        lake.write_day(spark.createDataFrame(list(rows), schema).coalesce(1), table, day)

    return write


@pytest.fixture(scope="session")
def healthy_lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("healthy")
    write = writer(spark, Lake(str(folder)))
    for table, days in HEALTHY.items():
        for day, rows in days.items():
            write(table, day, rows)
    return folder


@pytest.fixture
def lake(healthy_lake: Path, tmp_path: Path) -> Lake:
    """A copy of the healthy lake, to break."""
    shutil.copytree(healthy_lake, tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def write(spark: SparkSession, lake: Lake) -> Write:
    """Replace one day of one table."""
    return writer(spark, lake)


@pytest.fixture
def failed(spark: SparkSession, lake: Lake, tmp_path: Path) -> Failed:
    """What does not hold of one check, on the lake as it is now."""

    def run(check: Check) -> list[Failure]:
        scope = Scope(spark, lake, DAY, Settings(_env_file=None), SAMPLE, NOW)
        return run_checks(scope, DataDocs(tmp_path / "docs", 5), [check], [check])

    return run


def samples(failures: list[Failure], key: str) -> dict[tuple[str, str], set[Any]]:
    """The rows that failed, by their `key`, of each (expectation, columns)."""
    return {
        (failure.expectation, " ".join(failure.columns)): {sample[key] for sample in failure.samples}
        for failure in failures
    }
