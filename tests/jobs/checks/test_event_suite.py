"""What the events suite catches, each by exactly one expectation."""

from datetime import timedelta
from typing import Any

import pytest

from contract.settings import Settings
from jobs.checks.check import Check, Scope
from jobs.checks.suites.events import CHECKS
from tests.jobs.checks.conftest import Failed, Write, samples
from tests.jobs.checks.small_lake import DAY, NOW, at, event
from tests.scenarios import scenario

ROWS, DAY_CHECK, QUARANTINE = CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_healthy_lake_passes(failed: Failed, check: Check) -> None:
    assert failed(check) == []


@pytest.mark.parametrize("users", [True, False])
def test_events_of_nobody_are_a_fault_only_where_users_are_to_be_known(users: bool) -> None:
    scope = Scope(None, None, DAY, Settings(_env_file=None), scenario(users=users), NOW)  # type: ignore[arg-type]
    columns = [expectation.column for expectation in DAY_CHECK.expectations(scope)]
    assert ("anonymous_share" in columns) == users


def test_each_broken_row_fails_one_expectation(failed: Failed, write: Write) -> None:
    broken = [
        event(None),
        # e1 is there already, on another day: an import that forgot what it had.
        event("e1"),
        event("no type", type=None),
        event("other type", type="buy"),
        event("no item", item_id=None),
        # An item that no version of the catalogue ever had.
        event("other item", item_id="kettle"),
        event("no time", ts=None),
        # The first instant of the next day is the future.
        event("early", ts=at(11, 0)),
        # Seconds read as milliseconds land in 1970.
        event("late", ts=at(10).replace(year=1970)),
        event("high", type="rating", value=50.0),
        event("nan", type="rating", value=float("nan")),
        event("low", type="rating", value=-1.0),
        event("unrated", type="rating"),
    ]
    # Good: the scale's ends, a value that is no rating, and the last instant of the day.
    good = [
        event("zero", type="rating", value=0.0),
        event("five", type="rating", value=5.0),
        event("three mugs", value=300.0),
        event("last", ts=at(11, 0) - timedelta(microseconds=1)),
    ]
    write("events", DAY, good + broken)
    failures = failed(ROWS)
    assert samples(failures, "event_id") == {
        ("expect_column_values_to_not_be_null", "event_id"): {None},
        ("expect_column_values_to_be_unique", "event_id"): {"e1"},
        ("expect_column_values_to_not_be_null", "type"): {"no type"},
        ("expect_column_values_to_be_in_set", "type"): {"other type"},
        ("expect_column_values_to_not_be_null", "item_id"): {"no item"},
        ("expect_column_values_to_be_null", "unknown_item_id"): {"other item"},
        ("expect_column_values_to_not_be_null", "ts"): {"no time"},
        ("expect_column_values_to_be_between", "ts"): {"early", "late"},
        ("expect_column_values_to_be_between", "rating"): {"high", "nan", "low"},
        ("expect_column_values_to_be_null", "unrated"): {"unrated"},
    }
    assert all(failure.blocking for failure in failures)


def test_only_the_window_is_read(failed: Failed, write: Write) -> None:
    write("events", "2025-12-10", [event("91 days back", type="buy")])
    write("events", "2025-12-11", [event("90 days back", type="buy")])
    # What came later is the next night's matter.
    write("events", "2026-03-11", [event("tomorrow", type="buy")])
    assert samples(failed(ROWS), "event_id") == {("expect_column_values_to_be_in_set", "type"): {"90 days back"}}


def test_a_day_without_events_fails(failed: Failed, write: Write) -> None:
    write("events", DAY, [])
    assert ("events",) in [failure.columns for failure in failed(DAY_CHECK)]


def test_a_day_that_collapsed_fails(failed: Failed, write: Write) -> None:
    write("events", "2026-03-09", [event(f"before-{n}") for n in range(21)])
    write("events", DAY, [event("e3")])
    assert [failure.columns for failure in failed(DAY_CHECK)] == [("share_of_median",)]


def test_one_great_day_before_makes_no_collapse(failed: Failed, write: Write) -> None:
    # A sale: 40 events once, 2 on the other days. The median is what the day is held against.
    write("events", "2026-03-07", [event("a"), event("b")])
    write("events", "2026-03-08", [event(f"sale-{n}") for n in range(41)])
    write("events", DAY, [event("e3")])
    assert failed(DAY_CHECK) == []


def test_the_first_day_of_a_lake_has_nothing_to_fall_from(failed: Failed, write: Write) -> None:
    write("events", "2026-03-09", [])
    assert failed(DAY_CHECK) == []


def test_a_day_of_nobody_fails(failed: Failed, write: Write) -> None:
    write("events", DAY, [event("e3", user_id=None), event("e4", user_id=None)])
    assert [failure.columns for failure in failed(DAY_CHECK)] == [("anonymous_share",)]


def test_what_was_shown_is_neither_traffic_nor_a_lost_user(failed: Failed, write: Write) -> None:
    shown = [event(f"shown-{n}", type="impression", user_id=None) for n in range(40)]
    write("events", DAY, [event("e3"), *shown])
    assert failed(DAY_CHECK) == []
    write("events", "2026-03-09", [event(f"before-{n}") for n in range(21)])
    assert [failure.columns for failure in failed(DAY_CHECK)] == [("share_of_median",)]
    write("events", DAY, shown)
    assert ("events",) in [failure.columns for failure in failed(DAY_CHECK)]


def set_aside(count: int, **changes: Any) -> list[dict[str, Any]]:
    row = {"source_file": "events.jsonl", "table_name": "events", "reason": "ts: in the future", "raw": "{}"}
    return [{**row, "row_number": n, "quarantined_at": NOW - timedelta(hours=1), **changes} for n in range(count)]


def test_a_few_rows_set_aside_are_a_warning(failed: Failed, write: Write) -> None:
    write("events", "2026-03-09", [event(f"before-{n}") for n in range(100)])
    write("quarantine", "2026-03-11", set_aside(3))
    (warning,) = failed(QUARANTINE)
    assert not warning.blocking
    assert warning.samples == ({"last_reason": "ts: in the future", "set_aside": 3},)


def test_many_rows_set_aside_stop_the_night(failed: Failed, write: Write) -> None:
    write("quarantine", "2026-03-11", set_aside(3))
    assert [(failure.columns, failure.blocking) for failure in failed(QUARANTINE)] == [
        (("set_aside",), False),
        (("share",), True),
    ]


@pytest.mark.parametrize(
    "changes",
    [{"table_name": "items"}, {"quarantined_at": NOW - timedelta(hours=25)}],
    ids=["of another table", "of an import days ago"],
)
def test_other_rows_set_aside_are_not_counted(failed: Failed, write: Write, changes: dict[str, Any]) -> None:
    write("quarantine", "2026-03-10", set_aside(3, **changes))
    assert failed(QUARANTINE) == []
