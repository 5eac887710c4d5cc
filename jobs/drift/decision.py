"""Whether what has moved is worth a training now: not again and again, for a drift may be one that none can cure."""

from collections.abc import Sequence

import msgspec

from contract.slo import Verdict
from jobs.drift.signals import Signal

DAY_SECONDS = 86_400.0


class Decision(msgspec.Struct, frozen=True):
    retrain: bool
    why: str


def decide(
    signals: Sequence[Signal], trained_at: float | None, set_off_at: float | None, now: float, min_days: float
) -> Decision:
    """Times are Unix seconds: when the newest model was trained, promoted or not, and when drift last set off a
    training, whatever became of it; None for never.
    """
    moved = [one for one in signals if one.verdict is Verdict.MISS]
    unknown = [one.name for one in signals if one.verdict is Verdict.UNKNOWN]
    if not moved:
        told = "no signal is past its bound" if len(unknown) < len(signals) else "nothing could be judged"
        return Decision(False, told + (f"; unknown: {', '.join(unknown)}" if unknown else ""))
    past = "past its bound: " + "; ".join(f"{one.name} {one.value:.3g} > {one.most:.3g}" for one in moved)
    for at, what in ((trained_at, "the newest model was trained"), (set_off_at, "drift last set off a training")):
        days = (now - at) / DAY_SECONDS if at is not None else min_days
        if days < min_days:
            return Decision(False, f"{past}; but {what} {days:.1f} days ago, and {min_days:g} must lie between")
    return Decision(True, past)
