"""The catalogue as of an instant, its segments, and what happened to each item."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from contract.schemas import ITEMS, SESSIONS
from jobs.features.items import LONGEST_TEXT, item_features

AT = datetime(2024, 6, 1, tzinfo=UTC)


def version(item: str, days_ago: float = 90, **more: Any) -> tuple[object, ...]:
    given = {"title": item.upper(), "text": None, "categories": [], "price": None, "attributes": {}, "available": True}
    given |= more
    updated_at = AT - timedelta(days=days_ago)
    return (
        item,
        given["title"],
        given["text"],
        given["categories"],
        given["price"],
        given["attributes"],
        given["available"],
        updated_at,
    )


def choice(item: str, days_ago: float, user: str | None = None, session: str = "s") -> tuple[object, ...]:
    return (session, user, item, AT - timedelta(days=days_ago), "purchase", 0)


def features(spark: SparkSession, items: list[tuple], choices: list[tuple] = ()) -> dict[str, Row]:
    rows = item_features(spark.createDataFrame(items, ITEMS), spark.createDataFrame(list(choices), SESSIONS), AT)
    return {row["item_id"]: row for row in rows.collect()}


def test_the_latest_version_before_the_instant_counts(spark: SparkSession) -> None:
    found = features(
        spark,
        [
            version("a", 9, title="old", price=1.0),
            version("a", 2, title="current", price=2.0, available=False),
            version("a", -1, title="of tomorrow", price=3.0),
            version("a", 0, title="of the instant itself", price=4.0),  # the day ends before it
            version("b", -1),  # not there yet
            version("c", -1, title="exported after its first choice"),
        ],
        [choice("c", 3)],
    )
    assert set(found) == {"a", "c"}
    assert (found["a"]["title"], found["a"]["price"], found["a"]["available"]) == ("current", 2.0, False)
    assert found["a"]["age_days"] == pytest.approx(9)
    assert found["c"]["title"] == "exported after its first choice"
    assert found["c"]["age_days"] == pytest.approx(3)


def test_absent_categories_and_availability_have_defaults(spark: SparkSession) -> None:
    found = features(spark, [version("a", categories=None, available=None)])["a"]
    assert (found["categories"], found["available"], found["segment"], found["price"]) == ([], True, "all", None)


def test_attributes_are_those_of_the_version_and_long_texts_are_cut(spark: SparkSession) -> None:
    found = features(
        spark,
        [
            version("a", 9, attributes={"brand": "Oak"}),
            version("a", 2, attributes={"size": "L", "brand": "Ash", "made": None}, text="ä" * (LONGEST_TEXT + 1)),
            version("b", attributes=None),
        ],
    )
    assert found["a"]["attributes"] == {"brand": "Ash", "size": "L"}
    assert found["a"]["text"] == "ä" * LONGEST_TEXT
    assert found["b"]["attributes"] == {}


def test_segment_is_the_first_category(spark: SparkSession) -> None:
    found = features(
        spark,
        [
            version("a", categories=["toys", "red"], price=1.0),
            version("b", categories=["", "red"]),  # an empty name is none
            version("c", categories=[], price=5.0),  # a catalogue with categories has no price bands
        ],
    )
    assert {item: row["segment"] for item, row in found.items()} == {"a": "toys", "b": "red", "c": "all"}


def test_without_categories_segment_is_the_price_tercile(spark: SparkSession) -> None:
    prices = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 5.0, "f": 60.0}
    odd = {"free": 0.0, "nan": float("nan"), "none": None}  # of no price that means anything
    found = features(spark, [version(item, price=price) for item, price in {**prices, **odd}.items()])
    assert {item: row["segment"] for item, row in found.items()} == {
        **dict.fromkeys("ab", "price:low"),
        **dict.fromkeys("cd", "price:mid"),
        **dict.fromkeys("ef", "price:high"),
        **dict.fromkeys(odd, "all"),
    }


def test_counts_of_7_and_30_days(spark: SparkSession) -> None:
    found = features(
        spark,
        [version("a"), version("quiet")],
        [
            choice("a", 1, "ann", "s1"),
            choice("a", 7, "ann", "s2"),  # the edge is within
            choice("a", 7.01, "bob", "s3"),
            choice("a", 30, None, "s4"),
            choice("a", 29, None, "s4"),  # no user: the session stands for one buyer
            choice("a", 28, None, "s5"),
            choice("a", 30.01, "cyd", "s6"),  # too old
        ],
    )
    a, quiet = found["a"], found["quiet"]
    assert (a["popularity_7d"], a["popularity_30d"], a["buyers_30d"]) == (2, 6, 4)
    assert (quiet["popularity_7d"], quiet["popularity_30d"], quiet["buyers_30d"]) == (0, 0, 0)
