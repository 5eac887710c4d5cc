"""What is known of each user at an instant."""

from datetime import UTC, datetime, timedelta

import pytest
from pyspark.sql import Row, SparkSession

from contract.schemas import ITEM_FEATURES, SESSIONS
from jobs.features.users import user_features

AT = datetime(2024, 6, 1, tzinfo=UTC)
SEGMENTS = {"a": "toys", "b": "toys", "c": "home", "d": "home"}
PRICES = {"a": 2.0, "b": 4.0, "c": None, "d": float("nan")}


def choice(user: str | None, item: str, days_ago: float, session: str = "s", place: int = 0) -> tuple[object, ...]:
    return (session, user, item, AT - timedelta(days=days_ago), "purchase", place)


def features(spark: SparkSession, choices: list[tuple], history_length: int = 9) -> dict[str, Row]:
    items = [
        (item, item, None, [], PRICES[item], True, SEGMENTS[item], 0, 0, 0, 0.0, {}, None, None) for item in SEGMENTS
    ]
    rows = user_features(
        spark.createDataFrame(choices, SESSIONS), spark.createDataFrame(items, ITEM_FEATURES), AT, history_length
    )
    return {row["user_id"]: row for row in rows.collect()}


def test_history_is_distinct_items_newest_first(spark: SparkSession) -> None:
    choices = [
        choice("ann", "a", 5),
        choice("ann", "b", 4),
        choice("ann", "c", 3),
        choice("ann", "a", 1),  # again: it moves to the front
        choice("bob", "b", 2),
        choice("bob", "c", 2),  # the same instant: by id, descending
        choice(None, "d", 1),  # nobody's
    ]
    assert {user: row["history"] for user, row in features(spark, choices).items()} == {
        "ann": ["a", "c", "b"],
        "bob": ["c", "b"],
    }
    assert features(spark, choices, history_length=2)["ann"]["history"] == ["a", "c"]


def test_counts_prices_and_recency(spark: SparkSession) -> None:
    ann = features(
        spark,
        [
            choice("ann", "a", 9, "s1"),
            choice("ann", "a", 8.5, "s1", 1),
            choice("ann", "b", 2, "s2"),
            choice("ann", "c", 2, "s2", 1),  # of no known price
            choice("ann", "d", 1.5, "s3"),  # NaN is no price
            choice("ann", "gone", 1.25, "s3", 1),  # not in the catalogue
        ],
    )["ann"]
    assert (ann["sessions"], ann["positives"]) == (3, 6)
    assert ann["mean_price"] == pytest.approx((2 + 2 + 4) / 3)
    assert ann["days_since_last"] == pytest.approx(1.25)


def test_segment_is_the_most_frequent(spark: SparkSession) -> None:
    found = features(
        spark,
        [
            choice("often", "a", 1),
            choice("often", "c", 2),
            choice("often", "c", 3),
            choice("tied", "a", 1),
            choice("tied", "c", 2),  # home and toys are as frequent: home sorts first
            choice("lost", "gone", 1),  # chose nothing that the catalogue knows
        ],
    )
    assert {user: row["segment"] for user, row in found.items()} == {"often": "home", "tied": "home", "lost": "all"}
    assert found["lost"]["mean_price"] is None
