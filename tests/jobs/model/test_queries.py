"""Sessions cut into context and labels."""

from datetime import UTC, datetime, timedelta

from pyspark.sql import Row, SparkSession

from contract.schemas import SESSIONS
from jobs.model.queries import MOST_CONTEXT, baskets, queries

START = datetime(2024, 5, 1, tzinfo=UTC)
END = datetime(2024, 5, 11, tzinfo=UTC)


def session(id: str, items: str, day: float, days: float = 0.0, user: str | None = None) -> list[tuple[object, ...]]:
    """One letter an item, spread evenly over `days`."""
    step = days / max(len(items) - 1, 1)
    return [
        (id, user, item, START + timedelta(days=day + place * step), "purchase", place)
        for place, item in enumerate(items)
    ]


def drawn(
    spark: SparkSession, sessions: list[list[tuple]], limit: int = 99, seed: int = 17, start=START, task="basket"
) -> dict[str, Row]:
    rows = spark.createDataFrame([row for session in sessions for row in session], SESSIONS)
    found = queries(baskets(rows, START), task, "train", start, END, start, limit, seed)
    return {row["query_id"]: row for row in found.collect()}


def test_context_then_labels_in_order_of_first_occurrence(spark: SparkSession) -> None:
    found = drawn(spark, [session(f"s{n}", "abacb", 1, user="ann") for n in range(20)])
    splits = {(tuple(row["context"]), tuple(row["labels"])) for row in found.values()}
    assert splits == {(("a",), ("b", "c")), (("a", "b"), ("c",))}  # both lengths are drawn
    assert {(row["split"], row["user_id"], len(found)) for row in found.values()} == {("train", "ann", 20)}


def test_only_whole_sessions_of_two_items_within_the_period(spark: SparkSession) -> None:
    found = drawn(
        spark,
        [
            session("kept", "ab", 1),
            session("one item", "aa", 1),
            session("before", "ab", -1),
            session("began before", "abc", -0.5, days=1.0),  # its start is in the statistics
            session("goes on after", "ab", 9.9, days=0.2),  # its end is in those of the next period
            session("after", "ab", 10),
        ],
    )
    assert set(found) == {"kept"}
    later = drawn(spark, [session("kept", "ab", 1), session("later", "ab", 3)], start=START + timedelta(days=2))
    assert set(later) == {"later"}


def test_context_is_bounded(spark: SparkSession) -> None:
    found = drawn(spark, [session(f"s{n}", "abcdefghijklmnopqrstuvwxyz", 1) for n in range(60)])
    lengths = {len(row["context"]) for row in found.values()}
    assert lengths == set(range(1, MOST_CONTEXT + 1))
    assert all(len(row["context"]) + len(row["labels"]) == 26 for row in found.values())


def test_the_draw_depends_on_seed_and_id_alone(spark: SparkSession) -> None:
    many = [session(f"s{n}", "abcdef", 1) for n in range(30)]
    one = drawn(spark, many, limit=10)
    assert len(one) == 10
    assert drawn(spark, many[::-1], limit=10) == one
    more = drawn(spark, many, limit=20)
    assert {id: more[id] for id in one} == one  # a larger sample holds the smaller
    assert set(drawn(spark, many, limit=10, seed=18)) != set(one)


def test_the_next_visit_is_the_first_of_each_known_user(spark: SparkSession) -> None:
    found = drawn(
        spark,
        [
            session("ann's first", "ab", 1, user="ann"),
            session("ann's second", "cd", 2, user="ann"),
            session("bob's", "a", 3, user="bob"),  # one item is a visit too
            session("nobody's", "ab", 1),
        ],
        task="next_visit",
    )
    assert {id: (row["task"], row["context"], row["labels"]) for id, row in found.items()} == {
        "ann's first": ("next_visit", [], ["a", "b"]),
        "bob's": ("next_visit", [], ["a"]),
    }
