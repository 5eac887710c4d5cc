"""A replicated dataset: more of the same, and nothing that would be set aside at import."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from benchmarks.replicate import last_days, replicate, shifted

START = datetime(2011, 1, 1, 9, 30, tzinfo=UTC)

# Ten days with one basket of two items each; the last has no user.
EVENTS = pl.DataFrame(
    [
        {
            "event_id": f"{day}-{line}",
            "ts": START + timedelta(days=day, milliseconds=line),
            "user_id": f"u{day}" if day < 9 else None,
            "session_id": f"s{day}",
            "item_id": f"i{line}",
        }
        for day in range(10)
        for line in range(2)
    ],
    schema_overrides={"ts": pl.Datetime("us", "UTC")},
)


def test_the_first_copy_is_the_sample() -> None:
    assert shifted(EVENTS, 0, 5).equals(EVENTS)


def test_a_copy_has_ids_of_its_own_and_the_same_items() -> None:
    copy = shifted(EVENTS, 2, 5)
    for column in ("event_id", "user_id", "session_id"):
        assert not set(copy[column].drop_nulls()) & set(EVENTS[column])
    assert copy["item_id"].value_counts().sort("item_id").equals(EVENTS["item_id"].value_counts().sort("item_id"))
    assert copy["user_id"].null_count() == EVENTS["user_id"].null_count()


def test_a_copy_moves_by_whole_days_around_the_end_of_the_period() -> None:
    copy = shifted(EVENTS, 2, 5)
    first_day = copy.filter(pl.col("session_id") == "s0~2")["ts"]
    assert first_day.to_list() == [START + timedelta(days=4, milliseconds=line) for line in range(2)]
    wrapped = copy.filter(pl.col("session_id") == "s8~2")["ts"]
    assert wrapped.to_list() == [START + timedelta(days=2, milliseconds=line) for line in range(2)]


def test_every_day_gets_as_many_more_events(tmp_path: Path) -> None:
    assert replicate(EVENTS, 5, tmp_path) == 100
    whole = pl.read_parquet(tmp_path / "*.parquet")
    assert whole["event_id"].n_unique() == 100
    assert set(whole.group_by(pl.col("ts").dt.date()).len()["len"]) == {10}
    assert whole.schema == EVENTS.schema


def test_a_smaller_replication_leaves_no_copy_of_a_larger_one(tmp_path: Path) -> None:
    replicate(EVENTS, 5, tmp_path)
    replicate(EVENTS, 2, tmp_path)
    assert len(pl.read_parquet(tmp_path / "*.parquet")) == 40


def test_a_cut_keeps_the_last_days() -> None:
    assert last_days(EVENTS, 2)["session_id"].unique().sort().to_list() == ["s7", "s8", "s9"]
