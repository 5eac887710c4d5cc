"""The names of an objective's alerts, which are those of its pages in the runbook."""

from typing import NamedTuple


class AlertNames(NamedTuple):
    missed: str
    unknown: str


def alert_names(objective: str, kind: str) -> AlertNames:
    """`level_full`, of events, alerts as `LevelFullBurn` (its budget goes too fast) and `LevelFullUnknown`; a bound
    that does not hold, as `...Miss`."""
    camel = "".join(part.capitalize() for part in objective.split("_"))
    return AlertNames(f"{camel}{'Burn' if kind == 'events' else 'Miss'}", f"{camel}Unknown")
