"""Verdicts: moved, not moved, and not to be judged."""

import numpy as np
import pytest

from contract.settings import Drift
from contract.slo import Verdict
from jobs.drift.signals import column, of_columns, of_share, of_values

BOUNDS = Drift(rows_min=10, columns_share_max=0.3)
SAME, FAR = np.arange(100.0), np.arange(100.0) + 1000


def test_a_column_moves_by_either_distance() -> None:
    assert column("a", SAME, SAME, BOUNDS).verdict is Verdict.OK
    found = column("a", SAME, FAR, BOUNDS)
    assert (found.verdict, found.ks) == (Verdict.MISS, 1.0)
    nearly = Drift(rows_min=10, psi_max=100, ks_max=0.2)
    assert column("a", SAME, SAME + 30, nearly).verdict is Verdict.MISS
    assert column("a", SAME, SAME + 10, nearly).verdict is Verdict.OK


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_too_few_rows_are_not_judged(rows: int) -> None:
    found = column("a", SAME, FAR[:rows], BOUNDS)
    assert (found.verdict, found.psi) == (Verdict.UNKNOWN, None)
    assert found.why == f"{rows} rows, 10 are needed"


def test_the_share_of_columns_that_moved_is_judged() -> None:
    one = {"a": SAME, "b": SAME, "c": SAME, "d": SAME}
    some = of_columns("items", one, {**one, "d": FAR}, BOUNDS, "absent")
    many = of_columns("items", one, {**one, "c": FAR, "d": FAR}, BOUNDS, "absent")
    assert (some.value, some.verdict) == (0.25, Verdict.OK)
    assert (many.value, many.verdict, many.why) == (0.5, Verdict.MISS, "2 of 4 columns moved: c, d")


def test_a_new_column_and_one_that_is_gone_are_told_and_not_counted() -> None:
    found = of_columns("items", {"a": SAME, "old": SAME}, {"a": FAR, "new": SAME}, BOUNDS, "absent")
    assert found.value == 1.0
    assert {one.name: one.why for one in found.columns if one.verdict is Verdict.UNKNOWN} == {
        "old": "is gone since the model's day",
        "new": "is new since the model's day",
    }


def test_without_a_reference_nothing_is_judged() -> None:
    for found in (
        of_columns("items", None, {"a": SAME}, BOUNDS, "absent"),
        of_values("s", None, SAME, BOUNDS, "absent"),
    ):
        assert (found.verdict, found.value, found.why) == (Verdict.UNKNOWN, None, "absent")
    few = of_columns("items", {"a": SAME[:1]}, {"a": SAME}, BOUNDS, "absent")
    assert (few.verdict, few.why) == (Verdict.UNKNOWN, "1 rows, 10 are needed")
    assert of_columns("items", {}, {}, BOUNDS, "absent").verdict is Verdict.UNKNOWN


def test_a_share_is_judged_by_its_own_bound() -> None:
    assert of_share("new", 0.2, 0.2, "").verdict is Verdict.OK
    assert of_share("new", 0.21, 0.2, "").verdict is Verdict.MISS
    assert of_share("new", None, 0.2, "nothing to count").verdict is Verdict.UNKNOWN
