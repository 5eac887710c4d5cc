"""What the items suite catches, each by exactly one expectation."""

from datetime import timedelta

import pytest

from jobs.checks.check import Check
from jobs.checks.suites.items import CHECKS
from tests.jobs.checks.conftest import Failed, Write, samples
from tests.jobs.checks.small_lake import NOW, at, item

ROWS, QUARANTINE = CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_healthy_catalogue_passes(failed: Failed, check: Check) -> None:
    assert failed(check) == []


def test_each_broken_item_fails_one_expectation(failed: Failed, write: Write) -> None:
    broken = [
        item(None),
        # Two versions of one time: neither is the latest.
        item("twice", title="This"),
        item("twice", title="Or that"),
        item("no title", title=None),
        item("empty title", title=""),
        item("blank title", title=" \t"),
        item("negative", price=-0.01),
        item("nan", price=float("nan")),
        item("infinite", price=float("inf")),
        item("tomorrow", updated_at=NOW + timedelta(days=1, seconds=1)),
    ]
    # Good: for nothing, of unknown price, without categories, and a clock that is a little fast.
    good = [item("free", price=0.0), item("no price", price=None), item("fast", updated_at=NOW + timedelta(hours=1))]
    # Its older version is broken, the latest is whole: nobody reads the older one.
    write("items", "2026-03-07", [item("mended", title="", updated_at=at(7))])
    write("items", "2026-03-10", [*good, *broken, item("mended", updated_at=at(10))])
    failures = failed(ROWS)
    assert samples(failures, "item_id") == {
        ("expect_column_values_to_not_be_null", "item_id"): {None},
        ("expect_column_values_to_be_unique", "item_id"): {"twice"},
        ("expect_column_values_to_not_be_null", "title"): {"no title"},
        ("expect_column_values_to_match_regex", "title"): {"empty title", "blank title"},
        ("expect_column_values_to_be_between", "price"): {"negative", "nan", "infinite"},
        ("expect_column_values_to_be_between", "updated_at"): {"tomorrow"},
    }
    assert all(failure.blocking for failure in failures)


def test_an_empty_catalogue_fails(failed: Failed, write: Write) -> None:
    write("items", "2026-03-01", [])
    write("items", "2026-03-08", [])
    (failure,) = failed(ROWS)
    assert (failure.expectation, failure.observed) == ("expect_table_row_count_to_be_between", "0")


def test_rows_of_the_catalogue_that_were_set_aside_are_counted(failed: Failed, write: Write) -> None:
    row = {"source_file": "items.parquet", "row_number": 7, "table_name": "items", "reason": "price: NaN", "raw": ""}
    write("quarantine", "2026-03-11", [{**row, "quarantined_at": NOW}])
    # One beside two items is a third of what came: more than a slip.
    assert {failure.columns[0]: failure.blocking for failure in failed(QUARANTINE)} == {
        "set_aside": False,
        "share": True,
    }
