"""Whether the good events of an objective are a part of all its events, and not all of them."""

import math

from contract.metrics import Metric
from contract.slo.schema import Events


def part_problem(metric: Metric, total: Events, good: Events) -> str | None:
    """What is wrong with `good`, both counting `metric`, and how to mend it. None: it is a part of `total`."""
    labels = sorted({*total.where, *good.where})
    all_within, within = (math.inf if events.within is None else events.within for events in (total, good))
    if within >= all_within and all(_covers(metric, good, total, label) for label in labels):
        return "counts all that `total` counts, so that nothing could ever miss it: narrow it by `where` or `within`"
    others = "counts events that `total` does not"
    for label in labels:
        if not _covers(metric, total, good, label):
            return f"{others}: write `{label}` there as in `total`, or a part of it"
    if within > all_within:
        return f"{others}: write `within` there, {all_within:g} or less"
    return None


def _covers(metric: Metric, wide: Events, narrow: Events, label: str) -> bool:
    """Whether `wide` counts every value of the label that `narrow` counts."""
    taken, wanted = (_values(metric, events, label) for events in (wide, narrow))
    return taken is None or (wanted is not None and wanted <= taken)


def _values(metric: Metric, events: Events, label: str) -> frozenset[str] | None:
    """None: all there are, whether or not they are named."""
    named = frozenset(events.where.get(label, ()))
    return None if not named or named >= set(metric.values.get(label, ("",))) else named
