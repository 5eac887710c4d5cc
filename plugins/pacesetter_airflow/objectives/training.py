"""Whether a miss that lasts is worth a training: not again and again, for most are none of the model's making."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pacesetter_airflow.objectives.record import Record


@dataclass(frozen=True)
class Decision:
    """`row` is the row that sets off the training, None where there is none."""

    row: Record | None
    why: str


def decide(records: Sequence[Record], run: str, now: datetime, after_misses: int, min_days: float) -> Decision:
    """Of rows in the order of their times. What `run` has decided before, it decides again.

    An episode sets off one training at most; UNKNOWN rows among its misses do not count, and end nothing.
    """
    set_off = [record for record in records if record.set_off]
    if again := [record for record in set_off if record.run == run]:
        return Decision(again[-1], _why(again[-1], records))
    last_of_each = {record.objective: record for record in records if record.trainable and not record.unknown}
    lasting = [
        record
        for record in last_of_each.values()
        if record.missed and record.run == run and len(_misses(record, records)) >= after_misses
    ]
    if not lasting:
        return Decision(None, f"no objective that a model may mend was missed {after_misses} times in a row")
    done = {record.episode for record in set_off}
    fresh = [record for record in lasting if record.episode not in done]
    if not fresh:
        return Decision(None, f"{_why(lasting[0], records)}; but this very episode set off a training before")
    if set_off and now - set_off[-1].time < timedelta(days=min_days):
        days = (now - set_off[-1].time) / timedelta(days=1)
        why = f"{_why(fresh[0], records)}; but a miss set off a training {days:.1f} days ago"
        return Decision(None, f"{why}, and {min_days:g} must lie between")
    return Decision(replace(fresh[0], set_off=True), _why(fresh[0], records))


def _misses(record: Record, records: Sequence[Record]) -> list[Record]:
    return [row for row in records if row.episode == record.episode and row.missed and row.time <= record.time]


def _why(record: Record, records: Sequence[Record]) -> str:
    misses = len(_misses(record, records))
    return (
        f"{record.objective} is missed, {misses} times in a row since {record.episode.rpartition('@')[2]}: {record.why}"
    )
