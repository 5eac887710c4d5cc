"""The verb `candidates` on a lake of another kind: no price, no category, users unknown, odd ids."""

from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from contract.errors import BadInput
from contract.schemas import CANDIDATES, EVENTS, ITEM_FEATURES
from contract.settings import Settings
from jobs.candidates import build
from jobs.lake import Lake

SETTINGS = Settings(_env_file=None)
DAY = "2024-05-01"
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
TITLES = {"/müsli bar:1": "oat bar with honey", "a b\n🙂": "honey oat cookie", "%s": "steel wrench", "'x\"": ""}


def fill(spark: SparkSession, lake: Lake) -> None:
    bar, cookie, wrench, blank = TITLES
    choices = [
        ("s:1", None, bar), ("s:1", None, cookie), (None, "u/ü", cookie), (None, "u/ü", wrench), (None, None, blank),
    ]  # fmt: skip
    events = [
        (f"e{number}", NOON + timedelta(minutes=number), "click", user, session, item, None, None, None)
        for number, (session, user, item) in enumerate(choices)
    ]
    lake.write_day(spark.createDataFrame(events, EVENTS), "events", DAY)
    items = [(item, title, None, [], None, True, "all", 0, 0, 0, 0.0, {}, None, None) for item, title in TITLES.items()]
    lake.write_day(spark.createDataFrame(items, ITEM_FEATURES), "item_features", DAY)


def run(lake: Lake) -> None:
    build.main(build.arg_parser(SETTINGS).parse_args(["--lake", lake.root]), SETTINGS)


def test_every_kind_of_list_is_there(spark: SparkSession, lake: Lake) -> None:
    fill(spark, lake)
    run(lake)
    run(lake)  # again: the day is replaced
    rows = lake.read_day(spark, "candidates", DAY, CANDIDATES).collect()
    found = {(row["kind"], row["key"]): [entry["item_id"] for entry in row["entries"]] for row in rows}
    bar, cookie, wrench, _ = TITLES
    assert len(rows) == len(found)
    assert set(found) >= {("item", bar), ("item", cookie), ("item", wrench), ("user", "u/ü"), ("segment", "all")}
    assert found["item", bar][0] == cookie  # chosen together, and alike
    assert set(found["user", "u/ü"][:2]) == {cookie, wrench}
    assert set(found["segment", "all"]) == set(TITLES)
    assert {tuple(row["sources"]) for row in rows} == {("covisitation", "als", "content", "repeat", "popularity")}
    first = next(row for row in rows if (row["kind"], row["key"]) == ("item", bar))["entries"][0]
    assert first["source"] == "covisitation"
    assert first["scores"][0] > 0
    assert first["scores"][2] > 0.5  # both texts are about oats and honey


def test_without_a_known_item_it_says_what_to_do(spark: SparkSession, lake: Lake) -> None:
    fill(spark, lake)
    lake.write_day(spark.createDataFrame([], ITEM_FEATURES), "item_features", DAY)
    with pytest.raises(BadInput, match=r"no positive event before 2024-05-02 00:00 UTC on an item of the catalogue"):
        run(lake)


def test_features_come_first(spark: SparkSession, lake: Lake) -> None:
    row = ("1", NOON, "click", None, "s", "a", None, None, None)
    lake.write_day(spark.createDataFrame([row], EVENTS), "events", DAY)
    with pytest.raises(BadInput, match="run the job that writes item_features"):
        run(lake)
