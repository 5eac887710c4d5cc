"""The objectives over a window of minutes, from what the gateway itself counted.

Prometheus judges them over their own windows and over every gateway; this tells what these minutes do to the budget.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract.errors import BadInput
from contract.metrics import ALL, CANDIDATES_AGE_SECONDS, GENERATION, SLATE_THROUGH, Metric
from contract.slo import BoundObjective, EventObjective, Objective, burn_rate, judge, read_slo
from contract.slo.schema import Events, LabelValues
from contract.slo.verdict import bound_of
from online.gateway.windows import Labels, Snapshot

_METRICS = {metric.name: metric for metric in ALL}
# Why a gauge of the gateway's has no number. Every other gauge is the ranker's.
_WHY_NONE = {
    CANDIDATES_AGE_SECONDS.name: "no generation has been seen",
    GENERATION.name: "no generation has been seen",
    SLATE_THROUGH.name: "no slate is old enough yet, or no such event has come",
}


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
        counted of, is UNKNOWN. A gauge is judged as it stands now; `age_seconds` is the live generation's now, which
        the gauge of it has as of the pulse's last beat.
        """
        return [
            _judged_events(objective, now, before)
            if isinstance(objective, EventObjective)
            else _judged_bound(objective, now, age_seconds)
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


def _judged_bound(objective: BoundObjective, now: Snapshot, age_seconds: float | None) -> dict[str, Any]:
    value = age_seconds if objective.gauge == CANDIDATES_AGE_SECONDS.name else _worst(objective, now)
    why_none = _WHY_NONE.get(objective.gauge, f"the gateway does not know {objective.gauge}")
    return {**_entry(objective, value, why_none), "events": None, "bad": None, "burn_rate": None}


def _worst(objective: BoundObjective, now: Snapshot) -> float | None:
    """As contract.slo.promql.worst_value has it in Prometheus, where max and min pass over NaN, too."""
    metric = _METRICS[objective.gauge]
    known = [
        value
        for (name, values), value in now.gauges.items()
        if name == metric.name and _selects(objective.where, metric, values) and not math.isnan(value)
    ]
    worst = max if objective.at_most is not None else min
    return worst(known, default=None)


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
    kept = now.counters if metric.type == "counter" else now.histograms
    counted = 0.0
    for name, values in kept:
        if name != metric.name or not _selects(events.where, metric, values):
            continue
        if metric.type == "counter":
            value = now.counters[name, values]
            counted += value - min(before.counters.get((name, values), 0.0), value)
        else:
            counted += now.histogram(name, before, *values).within(events.within)
    return counted


def _selects(where: Mapping[str, LabelValues], metric: Metric, values: Labels) -> bool:
    """Whether a series is meant. Labels that Prometheus adds (`job`, `instance`) are not the gateway's to tell."""
    labels = dict(zip(sorted(metric.labels), values, strict=True))
    return all(labels[label] in wanted for label, wanted in where.items() if label in labels)
