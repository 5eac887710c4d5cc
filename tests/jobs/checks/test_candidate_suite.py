"""What the candidates suite catches, each by exactly one expectation."""

import pytest

from jobs.checks.check import Check
from jobs.checks.suites.candidates import CHECKS
from tests.jobs.checks.conftest import Failed, Write, samples
from tests.jobs.checks.small_lake import DAY, HEALTHY, entry, listed, user_row

LISTS, PROPOSED, PARTITION = CHECKS
GOOD = HEALTHY["candidates"][DAY]
ALL = listed("segment", "all", entry("mug"))
INFINITE, NAN = float("inf"), float("nan")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_healthy_lists_pass(failed: Failed, check: Check) -> None:
    assert failed(check) == []


def test_each_broken_list_fails_one_expectation(failed: Failed, write: Write) -> None:
    broken = [
        listed("basket", "other kind", entry("mug")),
        listed("user", None, entry("mug")),
        listed("user", "twice", entry("mug")),
        listed("user", "twice", entry("pan")),
        listed("user", "empty"),
        listed("user", "long", *(entry(f"item-{n}") for n in range(201))),
        listed("item", "itself", entry("mug"), entry("itself")),
        listed("user", "repeats", entry("mug"), entry("pan"), entry("mug", source="popularity")),
        listed("user", "null item", entry("mug"), entry(None)),
        listed("user", "empty item", entry("")),
        listed("user", "other source", entry("mug", source="guess")),
        listed("user", "no source", entry("mug", source=None)),
        listed("user", "one score", entry("mug", scores=[0.5])),
        listed("user", "no scores", entry("mug", scores=None)),
        listed("user", "null score", entry("mug", scores=[0.5, None])),
        listed("user", "nan score", entry("mug", scores=[NAN, 0.0])),
        listed("user", "infinite score", entry("mug", scores=[0.0, -INFINITE])),
    ]
    good = [
        # As long as may be.
        listed("user", "full", *(entry(f"item-{n}") for n in range(200))),
        # A user may be called as an item is, and an item as a segment is.
        listed("user", "mug", entry("mug")),
        listed("item", "all", entry("mug")),
    ]
    write("candidates", DAY, [*GOOD, *good, *broken])
    assert samples(failed(LISTS), "key") == {
        ("expect_column_values_to_be_in_set", "kind"): {"other kind"},
        ("expect_column_values_to_not_be_null", "key"): {None},
        ("expect_compound_columns_to_be_unique", "kind key"): {"twice"},
        ("expect_column_values_to_be_between", "entries"): {"empty", "long"},
        ("expect_column_values_to_be_null", "proposes_itself"): {"itself"},
        ("expect_column_values_to_be_between", "repeated_items"): {"repeats"},
        ("expect_column_values_to_be_between", "entries_without_item"): {"null item", "empty item"},
        ("expect_column_values_to_be_between", "entries_of_unknown_source"): {"other source", "no source"},
        ("expect_column_values_to_be_between", "entries_with_other_scores"): {"one score", "no scores"},
        ("expect_column_values_to_be_between", "entries_of_broken_score"): {
            "null score",
            "nan score",
            "infinite score",
        },
    }


def test_an_item_without_features_is_named(failed: Failed, write: Write) -> None:
    write(
        "candidates",
        DAY,
        [ALL, listed("user", "u1", entry("mug"), entry("kettle")), listed("item", "pan", entry("kettle"))],
    )
    (failure,) = failed(PROPOSED)
    assert failure.observed == "1 unexpected of 2 rows (50%)"
    assert failure.samples == ({"unknown_item_id": "kettle"},)


def test_the_popular_list_of_all_must_be_there(failed: Failed, write: Write) -> None:
    write("candidates", DAY, [listed("user", "u1", entry("mug")), listed("segment", "kitchen", entry("mug"))])
    assert [failure.columns for failure in failed(PARTITION)] == [("lists_for_all",)]


def test_two_orders_of_sources_fail(failed: Failed, write: Write) -> None:
    write("candidates", DAY, [*GOOD, listed("user", "u2", entry("mug"), sources=["popularity", "als"])])
    assert [failure.columns for failure in failed(PARTITION)] == [("orders_of_sources",)]


def test_lists_without_sources_fail(failed: Failed, write: Write) -> None:
    rows = [{**row, "sources": []} for row in GOOD]
    write("candidates", DAY, rows)
    assert [failure.columns for failure in failed(PARTITION)] == [("sources",)]


def test_too_few_users_with_a_list_fail(failed: Failed, write: Write) -> None:
    write("user_features", DAY, [user_row("u1"), user_row("u2"), user_row("u3")])
    (failure,) = failed(PARTITION)
    assert failure.columns == ("coverage",)
    assert failure.samples[0]["coverage"] == pytest.approx(1 / 3)


def test_a_lake_without_users_is_covered(failed: Failed, write: Write) -> None:
    write("user_features", DAY, [])
    write("candidates", DAY, [ALL])
    assert failed(PARTITION) == []


def test_an_empty_partition_fails(failed: Failed, write: Write) -> None:
    write("candidates", DAY, [])
    assert {failure.columns[0] for failure in failed(PARTITION)} == {
        "lists_for_all",
        "orders_of_sources",
        "sources",
        "coverage",
    }
