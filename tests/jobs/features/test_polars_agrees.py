"""The features written twice, in Spark and in polars, by different hands: on the same odd data they agree."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from pyspark.sql import SparkSession

from benchmarks import polars_features
from benchmarks.agreement import difference
from contract.scenario import Scenario
from contract.schemas import EVENTS, ITEMS
from jobs.features.items import item_features
from jobs.features.sessions import sessions
from jobs.features.users import user_features
from tests.scenarios import SAMPLE, scenario

AT = datetime(2024, 3, 1, tzinfo=UTC)
HISTORY_LENGTH = 3
OTHERS = (scenario(sessions={"rule": "silence"}), scenario(users=False))


def odd_events(seed: int) -> list[tuple[object, ...]]:
    """Everything that an event may be: without user, without session, empty ids, ties, ratings, impressions."""
    draw = random.Random(seed)
    return [
        (
            f"e{number}",
            AT - timedelta(minutes=draw.choice([5, 5, 40, 1440, 9000, 60_000]) + draw.randrange(200)),
            draw.choice(["purchase", "click", "view", "impression", "rating"]),
            draw.choice(["ann", "bob", "cyd", "", None]),
            draw.choice(["s1", "s2", "", None, None]),
            draw.choice(["a", "b", "c", "d", "gone"]),
            None,
            None,
            draw.choice([1.0, 4.0, 5.0, None]),
        )
        for number in range(150)
    ]


def odd_items(categories: bool) -> list[tuple[object, ...]]:
    """Versions before and after the night, no price, NaN, zero; with or without categories."""
    tagged = [["toys", "red"], [], None, ["", "home"]] if categories else [[], None, [], None]
    early, late = AT - timedelta(days=50), AT + timedelta(days=1)
    return [
        ("a", "A", None, tagged[0], 2.0, {"brand": "Oak"}, True, early),
        (
            "a",
            "A new",
            "text " * 1000,
            tagged[0],
            3.0,
            {"size": "L", "brand": "Ash", "made": None},
            False,
            early + timedelta(days=9),
        ),
        ("a", "A of tomorrow", None, tagged[0], 9.0, {}, True, late),
        ("b", "B", None, tagged[1], None, None, None, early),
        ("c", "C", None, tagged[2], float("nan"), {}, True, late),  # known only from events
        ("d", "D", None, tagged[3], 7.5, {}, True, early),
        ("e", "E", None, tagged[3], 0.0, {}, True, early),
        ("f", "F, not there yet", None, tagged[3], 1.0, {}, True, late),
    ]


@pytest.mark.parametrize(
    ("seed", "categories", "given"),
    [(1, True, SAMPLE), (2, True, SAMPLE), (1, False, SAMPLE), (2, False, OTHERS[0]), (1, True, OTHERS[1])],
)
def test_the_same_tables(spark: SparkSession, tmp_path: Path, seed: int, categories: bool, given: Scenario) -> None:
    events = spark.createDataFrame(odd_events(seed), EVENTS)
    items = spark.createDataFrame(odd_items(categories), ITEMS)
    past = sessions(events, given).cache()
    by_item = item_features(items, past, AT).drop("vector", "vector_space").cache()
    by_user = user_features(past, by_item, AT, HISTORY_LENGTH)

    events.write.parquet(str(tmp_path / "events"))
    items.write.parquet(str(tmp_path / "items"))
    same_past = polars_features.sessions(pl.scan_parquet(tmp_path / "events" / "*.parquet"), given)
    same_items = polars_features.item_features(pl.scan_parquet(tmp_path / "items" / "*.parquet"), same_past, AT)
    same_users = polars_features.user_features(same_past, same_items, AT, HISTORY_LENGTH)

    for ours, theirs, key in ((by_item, same_items, "item_id"), (by_user, same_users, "user_id")):
        assert difference(pl.from_arrow(ours.toArrow()), theirs.collect(), [key]) is None
        assert ours.count() > 2 or (key == "user_id" and not given.users)
