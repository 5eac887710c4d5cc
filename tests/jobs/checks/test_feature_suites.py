"""What the feature suites catch, each by exactly one expectation."""

import shutil

import pytest

from contract.errors import BadInput
from jobs.checks.check import Check
from jobs.checks.suites import item_features, user_features
from jobs.lake import Lake
from tests.jobs.checks.conftest import Failed, Write, samples
from tests.jobs.checks.small_lake import DAY, item_row, user_row

(USERS,) = user_features.CHECKS
(ITEMS,) = item_features.CHECKS

NAN = float("nan")


@pytest.mark.parametrize("check", [USERS, ITEMS], ids=lambda check: check.name)
def test_healthy_features_pass(failed: Failed, check: Check) -> None:
    assert failed(check) == []


def test_each_broken_user_fails_one_expectation(failed: Failed, write: Write) -> None:
    rows = [
        user_row(None),
        user_row("twice"),
        user_row("twice"),
        user_row("no segment", segment=None),
        user_row("long", history=[f"item-{n}" for n in range(51)]),
        user_row("repeats", history=["mug", "pan", "mug"]),
        user_row("no sessions", sessions=None),
        user_row("-1 sessions", sessions=-1),
        user_row("no positives", positives=None),
        user_row("-1 positives", positives=-1),
        user_row("price -1", mean_price=-1.0),
        user_row("price nan", mean_price=NAN),
        user_row("tomorrow", days_since_last=-0.5),
        # Good: a history as long as may be, and none at all.
        user_row("full", history=[f"item-{n}" for n in range(50)]),
        user_row("no history", history=None),
    ]
    write("user_features", DAY, rows)
    assert samples(failed(USERS), "user_id") == {
        ("expect_column_values_to_not_be_null", "user_id"): {None},
        ("expect_column_values_to_be_unique", "user_id"): {"twice"},
        ("expect_column_values_to_not_be_null", "segment"): {"no segment"},
        ("expect_column_values_to_be_between", "history_length"): {"long"},
        ("expect_column_values_to_be_between", "repeats_in_history"): {"repeats"},
        ("expect_column_values_to_not_be_null", "sessions"): {"no sessions"},
        ("expect_column_values_to_be_between", "sessions"): {"-1 sessions"},
        ("expect_column_values_to_not_be_null", "positives"): {"no positives"},
        ("expect_column_values_to_be_between", "positives"): {"-1 positives"},
        ("expect_column_values_to_be_between", "mean_price"): {"price -1", "price nan"},
        ("expect_column_values_to_be_between", "days_since_last"): {"tomorrow"},
    }


def test_no_user_at_all_is_a_warning(failed: Failed, write: Write) -> None:
    write("user_features", DAY, [])
    (failure,) = failed(USERS)
    assert (failure.expectation, failure.blocking) == ("expect_table_row_count_to_be_between", False)


def test_each_broken_item_fails_one_expectation(failed: Failed, write: Write) -> None:
    rows = [
        item_row(None),
        item_row("twice"),
        item_row("twice"),
        item_row("no segment", segment=None),
        item_row("no 7d", popularity_7d=None),
        item_row("-1 7d", popularity_7d=-1),
        item_row("no 30d", popularity_30d=None),
        item_row("no buyers", buyers_30d=None),
        item_row("-1 buyers", buyers_30d=-1),
        item_row("7d over 30d", popularity_7d=4),
        item_row("buyers over 30d", buyers_30d=4),
        item_row("price -1", price=-1.0),
        item_row("price nan", price=NAN),
        item_row("unborn", age_days=-1.0),
        # Good: every event of the month in one week, each of another buyer; and an item that nobody bought.
        item_row("new", popularity_7d=3, popularity_30d=3, buyers_30d=3),
        item_row("unsold", popularity_7d=0, popularity_30d=0, buyers_30d=0),
    ]
    write("item_features", DAY, rows)
    assert samples(failed(ITEMS), "item_id") == {
        ("expect_column_values_to_not_be_null", "item_id"): {None},
        ("expect_column_values_to_be_unique", "item_id"): {"twice"},
        ("expect_column_values_to_not_be_null", "segment"): {"no segment"},
        ("expect_column_values_to_not_be_null", "popularity_7d"): {"no 7d"},
        ("expect_column_values_to_be_between", "popularity_7d"): {"-1 7d"},
        ("expect_column_values_to_not_be_null", "popularity_30d"): {"no 30d"},
        ("expect_column_values_to_not_be_null", "buyers_30d"): {"no buyers"},
        ("expect_column_values_to_be_between", "buyers_30d"): {"-1 buyers"},
        ("expect_column_pair_values_a_to_be_greater_than_b", "popularity_30d popularity_7d"): {"7d over 30d"},
        ("expect_column_pair_values_a_to_be_greater_than_b", "popularity_30d buyers_30d"): {"buyers over 30d"},
        ("expect_column_values_to_be_between", "price"): {"price -1", "price nan"},
        ("expect_column_values_to_be_between", "age_days"): {"unborn"},
    }


def test_no_item_at_all_stops_the_night(failed: Failed, write: Write) -> None:
    write("item_features", DAY, [])
    (failure,) = failed(ITEMS)
    assert (failure.expectation, failure.blocking) == ("expect_table_row_count_to_be_between", True)


def test_a_day_that_was_not_computed_is_named(failed: Failed, lake: Lake) -> None:
    shutil.rmtree(lake.path("item_features", DAY))
    with pytest.raises(BadInput, match=rf"item_features/day={DAY} does not exist"):
        failed(ITEMS)
