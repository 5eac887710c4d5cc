"""The objectives over a window of minutes, from what the gateway itself counted.

Prometheus judges them over their own windows and over every gateway; this tells what these minutes do to the budget.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract.errors import BadInput
from contract.metrics import ALL, CANDIDATES_AGE_SECONDS
from contract.slo import BoundObjective, EventObjective, Objective, burn_rate, judge, read_slo
from contract.slo.schema import Events
from contract.slo.verdict import bound_of
from online.gateway.windows import Snapshot

_METRICS = {metric.name: metric for metric in ALL}


class Objectives:
    """Those of the file at `path`. A file that cannot be used costs no start: `unknown` says why there are none."""

    def __init__(self, path: Path) -> None:
        self._objectives: Sequence[Objective] = ()
        self.unknown: str | None = None
        try:
            self._objectives = read_slo(path).objectives
        except BadInput as error:
            self.unknown = str(error)

    def judged(self, now: Snapshot, before: Snapshot, age_seconds: float | None) -> list[dict[str, Any]]:
        """One entry an objective. `burn_rate` is how many times faster than its budget allows bad events came.

        `value` and `bound` are shares of good events, or in `unit`. What the gateway does not know, or nothing was
        counted of, is UNKNOWN.
        """
        return [
            _judged_events(objective, now, before)
            if isinstance(objective, EventObjective)
            else _judged_bound(objective, age_seconds)
            for objective in self._objectives
        ]


def _judged_events(objective: EventObjective, now: Snapshot, before: Snapshot) -> dict[str, Any]:
    total = _counted(objective.total, now, before)
    if objective.bad is not None:
        bad = _counted(objective.bad, now, before)
    else:
        assert objective.good is not None
        bad = total - _counted(objective.good, now, before)
    ratio = bad / total if total else None
    entry = _entry(objective, None if ratio is None else 1 - ratio, "nothing was counted in this window")
    burn = None if ratio is None else round(burn_rate(ratio, objective.percent), 4)
    return {**entry, "events": int(total), "bad": int(bad), "burn_rate": burn}


def _judged_bound(objective: BoundObjective, age_seconds: float | None) -> dict[str, Any]:
    known = objective.gauge == CANDIDATES_AGE_SECONDS.name
    why = "no generation has been seen" if known else f"the gateway does not know {objective.gauge}"
    return {**_entry(objective, age_seconds if known else None, why), "events": None, "bad": None, "burn_rate": None}


def _entry(objective: Objective, value: float | None, why_none: str) -> dict[str, Any]:
    judgement = judge(objective, value, why_none)
    bound, at_most = bound_of(objective)
    return {
        "name": objective.name,
        "description": objective.description,
        "kind": objective.kind,
        "unit": objective.unit if isinstance(objective, BoundObjective) else "",
        "bound": bound,
        "at_most": at_most,
        "value": None if judgement.value is None else round(judgement.value, 6),
        "verdict": judgement.verdict.value,
        "why": judgement.why,
    }


def _counted(events: Events, now: Snapshot, before: Snapshot) -> float:
    metric = _METRICS[events.metric]
    where = {label: values for label, values in events.where.items() if label in metric.labels}
    kept = now.counters if metric.type == "counter" else now.histograms
    counted = 0.0
    for name, values in kept:
        labels = dict(zip(sorted(metric.labels), values, strict=True)) if name == metric.name else None
        if labels is None or any(labels[label] not in wanted for label, wanted in where.items()):
            continue
        if metric.type == "counter":
            value = now.counters[name, values]
            counted += value - min(before.counters.get((name, values), 0.0), value)
        else:
            counted += now.histogram(name, before, *values).within(events.within)
    return counted
