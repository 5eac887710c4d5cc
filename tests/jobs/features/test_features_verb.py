"""The verb `features` on a lake."""

from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession

from contract.errors import BadInput
from contract.schemas import EVENTS, ITEM_FEATURES, ITEMS, SLATE_THROUGH, USER_FEATURES
from contract.settings import Settings
from jobs.features import build
from jobs.lake import Lake
from reranker.embedding import embedding_version
from reranker.encoding import base_model_directory

SETTINGS = Settings(_env_file=None)


def fill(spark: SparkSession, lake: Lake) -> None:
    first, second = (datetime(2024, 5, day, 23, 59, tzinfo=UTC) for day in (1, 2))
    for day, ts, item in (("2024-05-01", first, "a"), ("2024-05-02", second, "b")):
        row = (item, ts, "purchase", "ann", "s", item, None, None, None)
        lake.write_day(spark.createDataFrame([row], EVENTS), "events", day)
        version = (item, item, None, None, None, None, True, ts)
        lake.write_day(spark.createDataFrame([version], ITEMS), "items", day)


def run(lake: Lake, date: str) -> None:
    build.main(build.arg_parser(SETTINGS).parse_args(["--lake", lake.root, "--date", date]), SETTINGS)


def test_a_night_knows_its_day_and_nothing_later(spark: SparkSession, lake: Lake) -> None:
    fill(spark, lake)
    run(lake, "2024-05-01")
    users = lake.read_day(spark, "user_features", "2024-05-01", USER_FEATURES).collect()
    assert [(row["user_id"], row["history"]) for row in users] == [("ann", ["a"])]
    items = lake.read_day(spark, "item_features", "2024-05-01", ITEM_FEATURES).collect()
    assert [row["item_id"] for row in items] == ["a"]
    assert [row["vector_space"] for row in items] == [embedding_version(base_model_directory(""))]


def test_a_night_tells_what_became_of_its_slates(spark: SparkSession, lake: Lake, capsys) -> None:
    fill(spark, lake)
    shown = datetime(2024, 5, 1, 12, tzinfo=UTC)
    bought = ("e", datetime(2024, 5, 2, 9, tzinfo=UTC), "purchase", "ann", None, "a", None, None, None)
    slate = ("r-0", shown, "impression", "ann", None, "a", 0, "r", None)
    for day, row in (("2024-05-01", slate), ("2024-05-02", bought)):
        lake.add_to_day(spark.createDataFrame([row], EVENTS), "events", day)
    run(lake, "2024-05-02")
    (row,) = lake.read_day(spark, "slate_through", "2024-05-02", SLATE_THROUGH).collect()
    assert tuple(row) == (1, None, 1.0)
    assert "1 slates were shown at least 24 h before the end of the day" in capsys.readouterr().out


def test_a_rerun_replaces_its_day_alone(spark: SparkSession, lake: Lake) -> None:
    fill(spark, lake)
    for date in ("2024-05-01", "latest", "latest"):
        run(lake, date)
    assert lake.days("user_features") == lake.days("item_features") == ["2024-05-01", "2024-05-02"]
    assert lake.read_day(spark, "item_features", "2024-05-02", ITEM_FEATURES).count() == 2
    assert lake.read_day(spark, "user_features", "2024-05-02", USER_FEATURES).collect()[0]["history"] == ["b", "a"]


def test_without_a_catalogue_it_says_what_to_do(spark: SparkSession, lake: Lake) -> None:
    row = ("1", datetime(2024, 5, 1, tzinfo=UTC), "purchase", "ann", "s", "a", None, None, None)
    lake.write_day(spark.createDataFrame([row], EVENTS), "events", "2024-05-01")
    with pytest.raises(BadInput, match=r"items has no day yet: import a catalogue"):
        run(lake, "latest")
