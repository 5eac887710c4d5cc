"""When a miss that lasts sets off a training, and when it does not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pacesetter_airflow.objectives.record import Record
from pacesetter_airflow.objectives.training import Decision, decide
from tests.plugins.verdict_rows import NOON, history_of

AFTER, MIN_DAYS = 3, 7.0


def decided(rows: list[Record], now: timedelta = timedelta(minutes=9), run: str = "") -> Decision:
    return decide(rows, run or rows[-1].run, NOON + now, AFTER, MIN_DAYS)


@pytest.mark.parametrize(
    ("letters", "wanted"),
    [("MM", False), ("MMM", True), ("MUMUM", True), ("MMOM", False), ("MMMU", False), ("OOO", False)],
)
def test_so_many_misses_of_one_episode_set_off_a_training(letters: str, wanted: bool) -> None:
    assert (decided(history_of(letters)).row is not None) is wanted


def test_the_reason_says_what_is_missed_since_when() -> None:
    why = "p99 is missed, 3 times in a row since 2024-05-01T12:00:00+00:00: 0.75 s > 0.5 s"
    assert decided(history_of("MMM")).why == why


def test_what_no_model_can_mend_sets_off_none() -> None:
    assert decided(history_of("MMM", trainable=False)).row is None


def test_an_episode_sets_off_one_training() -> None:
    rows = history_of("MMMM")
    rows[2] = replace(rows[2], set_off=True)
    assert "this very episode set off a training before" in decided(rows, timedelta(days=30)).why


@pytest.mark.parametrize(("days", "wanted"), [(6.9, False), (7.1, True)])
def test_so_many_days_lie_between_trainings(days: float, wanted: bool) -> None:
    rows = history_of("MMMOMMM")
    rows[2] = replace(rows[2], set_off=True)
    decision = decided(rows, timedelta(days=days, minutes=2))
    assert (decision.row is not None) is wanted
    assert wanted or "a miss set off a training 6.9 days ago, and 7 must lie between" in decision.why


def test_a_run_that_is_repeated_decides_the_same() -> None:
    rows = history_of("MMM")
    rows[2] = replace(rows[2], set_off=True)
    assert decided(rows).row == rows[2]
