"""Episodes of an objective, from its rows alone: the first MISS begins one, the first OK after it ends it.

UNKNOWN does neither: nobody knows whether it goes on. Rows are in the order of their times, of any objectives.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from contract.slo import Verdict
from pacesetter_airflow.objectives.record import FAILED, NONE, Record

# Watched as an objective is, by what the objectives' queries met. No objective may have this name.
PROMETHEUS = "(prometheus)"


@dataclass(frozen=True)
class Episode:
    """`ended` is None while it goes on. `worst` is the worst of its rows that are still read, None where none is."""

    id: str
    began: datetime
    ended: datetime | None
    worst: Record | None

    def lasted(self, until: datetime) -> timedelta:
        return (self.ended or until) - self.began


def continued(known: Iterable[Record], new: Iterable[Record]) -> list[Record]:
    """`new`, less those that are known, each with the episode that it begins, belongs to or ends."""
    known = list(known)
    seen = {record.key for record in known}
    open_episodes = {record.objective: _open(record) for record in known if not record.unknown}
    found = []
    for record in sorted(new, key=lambda record: record.time):
        if record.key in seen:
            continue
        episode = open_episodes.get(record.objective, "")
        if record.missed and not episode:
            episode = episode_id(record.objective, record.time)
        record = replace(record, episode=episode)
        if not record.unknown:
            open_episodes[record.objective] = _open(record)
        found.append(record)
    return found


def _open(record: Record) -> str:
    return record.episode if record.missed else ""


def episode_id(objective: str, began: datetime) -> str:
    return f"{objective}@{began.astimezone(UTC).isoformat()}"


def due(records: Iterable[Record]) -> list[Record]:
    """The rows whose mail has not gone out: one where an episode begins, one where it ends, oldest first."""
    return [record for record in records if record.mail in (NONE, FAILED) and (begins(record) or ends(record))]


def begins(record: Record) -> bool:
    return record.missed and record.episode == episode_id(record.objective, record.time)


def ends(record: Record) -> bool:
    return record.verdict == Verdict.OK and record.episode != ""


def episode_of(record: Record, records: Iterable[Record]) -> Episode:
    """The episode of a row that has one. It began when its id says, though that row be read no more."""
    rows = [row for row in records if row.episode == record.episode and row.time <= record.time]
    return Episode(
        id=record.episode,
        began=datetime.fromisoformat(record.episode.rpartition("@")[2]),
        ended=record.time if ends(record) else None,
        worst=_worst([row for row in rows if row.missed and row.value is not None]),
    )


def _worst(measured: Sequence[Record]) -> Record | None:
    if not measured:
        return None
    return (max if measured[-1].at_most else min)(measured, key=lambda row: row.value)


def on_prometheus(records: Sequence[Record]) -> Record | None:
    """The row that says whether Prometheus was there at all; None where nothing was asked.

    No alert can tell that Prometheus is away: it is the one that would.
    """
    if not records:
        return None
    away = [record for record in records if not record.answered]
    there = len(away) < len(records)
    return Record(
        time=max(record.time for record in records),
        run=records[0].run,
        objective=PROMETHEUS,
        verdict=str(Verdict.OK if there else Verdict.MISS),
        why="it answers" if there else away[0].why,
        description="Prometheus answers sla_check",
        promised="an answer",
        answered=there,
    )
