"""How an objective stands, from its rows alone: the last verdict, since when it is missed, and the day behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from contract.slo import Slo, Verdict, bound_text
from pacesetter_airflow.objectives.episodes import PROMETHEUS, episode_of
from pacesetter_airflow.objectives.record import Record

# Three checks that did not come: an OK of then says nothing of now.
STALE_AFTER = timedelta(minutes=45)
# Two checks fall into a slot: one that is late leaves no gap.
SLOT = timedelta(minutes=30)
SLOTS = 48
WORST_FIRST = (Verdict.MISS, Verdict.UNKNOWN, Verdict.OK)


@dataclass(frozen=True)
class Stretch:
    """Slots in a row with the same verdict, the worst of each slot; "" where nothing was judged."""

    verdict: str
    first: int
    slots: int
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Standing:
    """`verdict` is "" where nobody judged yet; `stale`: it is too old to speak of now. `budget_left` is a share,
    negative once overspent, None where there is no budget (`budget_seconds` is None, too) or nobody knows.

    `missed_since` is when the episode began that is still open: unlike the last verdict, an UNKNOWN does not end it.
    """

    name: str
    kind: str
    description: str
    promised: str
    verdict: str = ""
    stale: bool = False
    why: str = ""
    measured: str = ""
    judged_at: datetime | None = None
    run: str = ""
    budget_left: float | None = None
    budget_seconds: int | None = None
    missed_since: datetime | None = None
    last_day: tuple[Stretch, ...] = ()

    @property
    def kept(self) -> bool:
        return self.verdict == Verdict.OK and not self.stale


def standings(slo: Slo | None, rows: Sequence[Record], now: datetime) -> list[Standing]:
    """Of the objectives of the file in its order, without a file those that the last run judged; and of Prometheus.

    `rows` are in the order of their times.
    """
    last_run = rows[-1].run if rows else ""
    if slo is not None:
        bare = [Standing(one.name, one.kind, one.description, bound_text(one)) for one in slo.objectives]
    else:
        judged = (row for row in rows if row.run == last_run and row.objective != PROMETHEUS)
        bare = [Standing(row.objective, row.kind, row.description, row.promised) for row in judged]
    watched = [row for row in rows if row.objective == PROMETHEUS]
    bare += [Standing(PROMETHEUS, row.kind, row.description, row.promised) for row in watched[-1:]]
    return [_judged(one, [row for row in rows if row.objective == one.name], now) for one in bare]


def _judged(bare: Standing, rows: Sequence[Record], now: datetime) -> Standing:
    if not rows:
        return bare
    last = rows[-1]
    return replace(
        bare,
        verdict=last.verdict,
        stale=now - last.time > STALE_AFTER,
        why=last.why,
        measured=last.shown,
        judged_at=last.time,
        run=last.run,
        budget_left=last.budget_left,
        budget_seconds=last.budget_seconds,
        missed_since=_missed_since(rows),
        last_day=_last_day(rows, now),
    )


def _missed_since(rows: Sequence[Record]) -> datetime | None:
    known = [row for row in rows if not row.unknown]
    return episode_of(known[-1], rows).began if known and known[-1].missed and known[-1].episode else None


def _last_day(rows: Sequence[Record], now: datetime) -> tuple[Stretch, ...]:
    begin = now - SLOTS * SLOT
    found: dict[int, set[str]] = {}
    for row in rows:
        if begin <= row.time <= now:
            found.setdefault(min((row.time - begin) // SLOT, SLOTS - 1), set()).add(row.verdict)
    worst = [next((verdict for verdict in WORST_FIRST if verdict in found.get(slot, ())), "") for slot in range(SLOTS)]
    stretches = []
    for verdict, group in groupby(range(SLOTS), key=lambda slot: worst[slot]):
        first, *others = group
        ends = first + 1 + len(others)
        stretches.append(Stretch(str(verdict), first, ends - first, begin + first * SLOT, begin + ends * SLOT))
    return tuple(stretches)
