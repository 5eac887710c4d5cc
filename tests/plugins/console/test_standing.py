"""How an objective stands, from literal rows: O is OK, M a MISS, U UNKNOWN, a minute apart from noon on."""

from datetime import timedelta
from pathlib import Path

import pytest

from contract.slo import read_slo
from pacesetter_airflow.console.standing import SLOT, SLOTS, Standing, standings
from pacesetter_airflow.objectives.record import Record
from tests.plugins.console.sources import FRESH, LATENCY, OBJECTIVES
from tests.plugins.verdict_rows import NOON, history_of, record


def standing(letters: str, minutes_later: float = 0.0) -> Standing:
    """Of p99, so long after its last row."""
    rows = history_of(letters)
    now = rows[-1].time + timedelta(minutes=minutes_later)
    return standings(None, rows, now)[0]


@pytest.mark.parametrize(
    ("letters", "since"),
    [("O", None), ("OMM", 1), ("OMUU", 1), ("MO", None), ("MOMU", 2), ("U", None), ("MUOU", None)],
)
def test_an_episode_is_open_from_its_first_miss_to_the_first_ok(letters: str, since: int | None) -> None:
    wanted = None if since is None else NOON + timedelta(minutes=since)
    assert standing(letters).missed_since == wanted


def test_the_last_row_is_the_verdict() -> None:
    found = standing("OU")
    assert (found.verdict, found.why, found.judged_at, found.run) == (
        "UNKNOWN",
        "0.75 s > 0.5 s",
        NOON + timedelta(minutes=1),
        "run 1",
    )


def test_an_ok_is_kept_until_three_checks_have_not_come() -> None:
    assert standing("O", minutes_later=45).kept
    late = standing("O", minutes_later=46)
    assert (late.verdict, late.stale, late.kept) == ("OK", True, False)
    assert not standing("M").kept


def test_a_day_is_told_by_the_worst_of_each_half_hour() -> None:
    now = NOON + timedelta(hours=24)
    minutes = {0: "M", 10: "O", 31: "U", 32: "O", 70: "O", 23 * 60 + 59: "U", 24 * 60: "O"}
    rows = [record(minute, letter) for minute, letter in minutes.items()]
    (found,) = standings(None, rows, now)
    assert [(one.verdict, one.first, one.slots) for one in found.last_day] == [
        ("MISS", 0, 1),
        ("UNKNOWN", 1, 1),
        ("OK", 2, 1),
        ("", 3, 44),
        ("UNKNOWN", 47, 1),
    ]
    assert found.last_day[0].begins == NOON
    assert found.last_day[-1].ends == now
    assert sum(one.slots for one in found.last_day) == SLOTS == timedelta(hours=24) / SLOT


def test_what_was_judged_before_that_day_is_not_in_it() -> None:
    (found,) = standings(None, [record(-1, "M"), record(60, "O")], NOON + timedelta(hours=24))
    assert {one.verdict for one in found.last_day} == {"", "OK"}


def test_all_of_the_file_are_shown_and_nothing_else_but_prometheus(tmp_path: Path) -> None:
    (tmp_path / "slo.yaml").write_text(OBJECTIVES)
    rows: list[Record] = [
        record(0, "O", objective="gone"),
        record(0, "M", objective=FRESH),
        record(0, "O", objective="(prometheus)"),
    ]
    found = standings(read_slo(tmp_path / "slo.yaml"), rows, NOON)
    assert [(one.name, one.verdict, one.promised) for one in found] == [
        (LATENCY, "", "at least 50 %"),
        (FRESH, "MISS", "at most 129600 s"),
        ("(prometheus)", "OK", ""),
    ]
    assert not found[0].kept


def test_without_the_file_those_of_the_last_run_are_shown() -> None:
    rows = [record(0, "O", objective="old", run="a"), record(15, "O", run="b"), record(15, "M", objective="q", run="b")]
    assert [one.name for one in standings(None, rows, NOON)] == ["p99", "q"]
    assert standings(None, [], NOON) == []
