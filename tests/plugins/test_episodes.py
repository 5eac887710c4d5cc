"""Episodes from rows alone: where they begin and end, which mails are due, and that nothing is told twice."""

from datetime import datetime, timedelta, timezone

import pytest

from pacesetter_airflow.objectives.episodes import PROMETHEUS, continued, due, episode_of, on_prometheus
from pacesetter_airflow.objectives.record import FAILED, IN_DOUBT, NONE, SENDING, SENT
from tests.plugins.verdict_rows import NOON, history_of, record, with_mail


def minutes(letters: str) -> list[int | None]:
    """Of each row, the minute in which its episode began."""
    began = [row.episode.rpartition("@")[2] for row in history_of(letters)]
    return [(datetime.fromisoformat(time) - NOON).seconds // 60 if time else None for time in began]


@pytest.mark.parametrize(
    ("letters", "episodes"),
    [
        ("OMMO", [None, 1, 1, 1]),
        ("MOMO", [0, 0, 2, 2]),
        ("MUUMO", [0, 0, 0, 0, 0]),
        ("UOUMUO", [None, None, None, 3, 3, 3]),
        ("MUOO", [0, 0, 0, None]),
    ],
)
def test_a_miss_begins_an_episode_and_the_first_ok_ends_it(letters: str, episodes: list[int | None]) -> None:
    assert minutes(letters) == episodes


def test_objectives_have_episodes_of_their_own() -> None:
    rows = history_of("M")
    (other,) = continued(rows, [record(1, "O", objective="fresh")])
    assert other.episode == ""


def test_a_run_that_is_repeated_adds_nothing() -> None:
    rows = history_of("OM")
    assert continued(rows, [record(1, "M")]) == []


def test_a_run_that_is_judged_anew_after_its_mail_goes_on_with_the_episode() -> None:
    rows = history_of("M")
    (again,) = continued(rows, [record(1, "M", run="run 0")])
    assert again.episode == rows[0].episode
    assert due([*with_mail(rows, 0, SENT), again]) == []


@pytest.mark.parametrize(
    ("letters", "places"),
    [
        ("OO", []),
        ("M", [0]),
        ("MM", [0]),
        ("MMO", [0, 2]),
        ("MUO", [0, 2]),
        ("MU", [0]),
        ("OU", []),
        ("MOM", [0, 1, 2]),
    ],
)
def test_a_mail_is_due_where_an_episode_begins_and_where_it_ends(letters: str, places: list[int]) -> None:
    rows = history_of(letters)
    assert [rows.index(row) for row in due(rows)] == places


@pytest.mark.parametrize(("mail", "again"), [(NONE, 1), (FAILED, 1), (SENDING, 0), (SENT, 0), (IN_DOUBT, 0)])
def test_a_mail_is_sent_again_only_where_it_certainly_did_not_go_out(mail: str, again: int) -> None:
    assert len(due(with_mail(history_of("MM"), 0, mail))) == again


def test_an_episode_knows_its_length_and_its_worst_value() -> None:
    rows = history_of("M", value=0.6)
    for minute, value in ((1, 0.9), (2, 0.7)):
        rows += continued(rows, [record(minute, "M", value=value)])
    rows += continued(rows, [record(3, "O", value=0.1)])
    episode = episode_of(rows[-1], rows)
    assert (episode.began, episode.ended, episode.worst.value) == (NOON, NOON + timedelta(minutes=3), 0.9)
    assert episode.lasted(NOON) == timedelta(minutes=3)


def test_of_a_lower_bound_the_least_value_is_the_worst() -> None:
    rows = history_of("M", value=0.6, at_most=False)
    rows += continued(rows, [record(1, "M", value=0.2, at_most=False)])
    assert episode_of(rows[1], rows).worst.value == 0.2


def test_an_episode_whose_beginning_is_read_no_more_still_began_then() -> None:
    rows = history_of("MMMO")
    assert episode_of(rows[3], rows[2:]).began == NOON
    assert due(rows[2:]) == [rows[3]], "its first mail is not sent again"


def test_prometheus_is_away_only_where_no_question_was_answered() -> None:
    answered, not_answered = record(0, "U"), record(0, "U", objective="fresh", answered=False, why="no answer")
    there, away = on_prometheus([answered, not_answered]), on_prometheus([not_answered])
    assert there is not None
    assert away is not None
    assert (there.objective, there.verdict) == (PROMETHEUS, "OK")
    assert (away.objective, away.verdict, away.why) == (PROMETHEUS, "MISS", "no answer")
    assert on_prometheus([]) is None


def test_times_of_any_zone_are_one_episode() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    (row,) = continued([], [record(0, "M", time=east)])
    assert row.episode == "p99@2024-05-01T12:00:00+00:00"
