"""The PromQL of an objective, over any window of so many seconds. Each expression yields one number without labels.

A window without events yields NaN (0/0), one without the series nothing: neither compares as OK.
"""

from prometheus_client.utils import floatToGoString

from contract.metrics import ALL
from contract.slo.duration import duration_text
from contract.slo.schema import BoundObjective, EventObjective, Events, LabelValues, Objective

_HISTOGRAMS = {metric.name for metric in ALL if metric.type == "histogram"}


def error_ratio(objective: EventObjective, seconds: int) -> str:
    """The share of bad events, 0 to 1."""
    return f"{bad_rate(objective, seconds)} / {total_rate(objective, seconds)}"


def bad_rate(objective: EventObjective, seconds: int) -> str:
    """Bad events a second."""
    total = total_rate(objective, seconds)
    if objective.bad is not None:
        return _counted(objective.bad, seconds, total)
    assert objective.good is not None
    # Prometheus extrapolates each series by itself: what is all good may come out a hair above the total.
    return f"clamp_min({total} - {_counted(objective.good, seconds, total)}, 0)"


def total_rate(objective: EventObjective, seconds: int) -> str:
    """Events a second."""
    return f"sum(rate({series(objective.total)}[{duration_text(seconds)}]))"


def event_count(objective: EventObjective, seconds: int) -> str:
    """How many events there were."""
    return f"sum(increase({series(objective.total)}[{duration_text(seconds)}]))"


def value_query(objective: Objective, seconds: int) -> str:
    """What is judged: the share of good events in the window, or the worst value of the gauge now."""
    if isinstance(objective, EventObjective):
        return f"1 - {error_ratio(objective, seconds)}"
    return worst_value(objective)


def worst_value(objective: BoundObjective) -> str:
    """Of all processes that report the gauge."""
    worst = "max" if objective.at_most is not None else "min"
    return f"{worst}({objective.gauge}{_matchers(objective.where)})"


def series(events: Events) -> str:
    """The selector of the series that counts these events."""
    if events.metric not in _HISTOGRAMS:
        return events.metric + _matchers(events.where)
    if events.within is None:
        return f"{events.metric}_count{_matchers(events.where)}"
    return f"{events.metric}_bucket{_matchers(events.where | {'le': (floatToGoString(events.within),)})}"


def _counted(events: Events, seconds: int, total: str) -> str:
    # A label value that was never counted has no series: that is 0, but only where there is a total.
    return f"(sum(rate({series(events)}[{duration_text(seconds)}])) or 0 * {total})"


def _matchers(where: dict[str, LabelValues]) -> str:
    found = [f'{label}="{_quoted(values[0])}"' for label, values in where.items() if len(values) == 1]
    found += [f'{label}=~"{_quoted("|".join(map(_literal, values)))}"' for label, values in where.items() if values[1:]]
    return f"{{{','.join(found)}}}" if found else ""


def _literal(value: str) -> str:
    """As a regular expression (RE2) that matches nothing else."""
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in value)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
