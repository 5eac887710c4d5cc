"""Rows of verdicts, a minute apart, as literal as tests want them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pacesetter_airflow.objectives.episodes import continued
from pacesetter_airflow.objectives.record import Record

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
VERDICTS = {"O": "OK", "M": "MISS", "U": "UNKNOWN"}


def record(minute: int, letter: str, **more: Any) -> Record:
    """Of the objective p99, a latency in seconds, unless `more` says otherwise."""
    given = {
        "time": NOON + timedelta(minutes=minute),
        "run": f"run {minute}",
        "objective": "p99",
        "verdict": VERDICTS[letter],
        "why": "0.75 s > 0.5 s",
        "description": "answers are quick",
        "at_most": True,
        "trainable": True,
    }
    return Record(**given | more)


def history_of(letters: str, **more: Any) -> list[Record]:
    """A row for each of O, M and U, a run each."""
    rows: list[Record] = []
    for minute, letter in enumerate(letters):
        rows += continued(rows, [record(minute, letter, **more)])
    return rows


def with_mail(rows: list[Record], place: int, mail: str) -> list[Record]:
    return [replace(row, mail=mail) if at == place else row for at, row in enumerate(rows)]
