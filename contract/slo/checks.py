"""What a file of the right shape may still get wrong: names that nobody exposes, windows that cannot work.

Each check yields where in the file (keys and list positions), and what is wrong with how to mend it.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import pairwise

from contract.metrics import ALL, Metric
from contract.slo.burn import threshold
from contract.slo.duration import duration_text as text
from contract.slo.parts import part_problem
from contract.slo.schema import BoundObjective, EventObjective, Events, Slo

Place = tuple[str | int, ...]
Problem = tuple[Place, str]

_METRICS = {metric.name: metric for metric in ALL}
# Prometheus adds them to what it scrapes.
_TARGET_LABELS = ("job", "instance")


def problems(slo: Slo) -> Iterator[Problem]:
    """All of them; none for a file that rules can be made of."""
    yield from _named_once(slo)
    yield from _windows(slo)
    yield from _burn_rates(slo)
    for number, objective in enumerate(slo.objectives):
        place = ("objectives", number)
        if isinstance(objective, EventObjective):
            yield from _share(place, objective, slo)
            for part in ("total", "good", "bad"):
                if (events := getattr(objective, part)) is not None:
                    yield from _events((*place, part), events)
            yield from _good((*place, "good"), objective)
        else:
            yield from _gauge(place, objective)


def _named_once(slo: Slo) -> Iterator[Problem]:
    if not slo.objectives:
        yield ("objectives",), "there is none: add one (CONTRIBUTING.md has a recipe)"
    seen: set[str] = set()
    for number, objective in enumerate(slo.objectives):
        # Alerts and their pages are named after objectives, without underscores.
        name = objective.name.replace("_", "")
        if name in seen:
            yield ("objectives", number, "name"), f"there is another {objective.name}: choose another name"
        seen.add(name)


def _windows(slo: Slo) -> Iterator[Problem]:
    asked: list[tuple[Place, int]] = [(("budget",), slo.budget), (("judged",), slo.judged)]
    for number, objective in enumerate(slo.objectives):
        if isinstance(objective, EventObjective) and objective.window is not None:
            asked.append((("objectives", number, "window"), objective.window))
    for number, rate in enumerate(slo.burn_rates):
        asked += [(("burn_rates", number, "long"), rate.long), (("burn_rates", number, "short"), rate.short)]
    kept, every = text(slo.retention), text(slo.evaluation)
    for place, window in asked:
        if window > slo.retention:
            yield (
                place,
                f"{text(window)} is longer than what Prometheus keeps, {kept}: shorten it, or raise `retention`",
            )
        if window < 2 * slo.evaluation:
            yield (
                place,
                f"{text(window)} is shorter than two evaluations of {every}: lengthen it, or lower `evaluation`",
            )


def _burn_rates(slo: Slo) -> Iterator[Problem]:
    shortest = min([slo.budget, *(o.window for o in slo.objectives if isinstance(o, EventObjective) and o.window)])
    for number, rate in enumerate(slo.burn_rates):
        place = ("burn_rates", number)
        if rate.factor <= 0:
            yield (*place, "factor"), f"{rate.factor:g} is no burn rate: write a factor above 0, such as 14.4"
        if rate.short >= rate.long:
            wanted = "the short window ends the alert; a twelfth of the long one is usual"
            yield (*place, "short"), f"{text(rate.short)} is not shorter than `long`, {text(rate.long)}: {wanted}"
        if rate.long > shortest:
            wanted = "shorten it, or lengthen `budget` and every `window`"
            yield (*place, "long"), f"{text(rate.long)} is longer than a budget of {text(shortest)}: {wanted}"
    if not slo.burn_rates:
        yield ("burn_rates",), "there is none: add one, or leave `burn_rates` out for those that are usual"
    by_length = sorted(enumerate(slo.burn_rates), key=lambda entry: entry[1].long)
    for (_, fast), (number, slow) in pairwise(by_length):
        if slow.long == fast.long or slow.factor >= fast.factor:
            both = f"{slow.factor:g} over {text(slow.long)} beside {fast.factor:g} over {text(fast.long)}"
            yield ("burn_rates", number), f"{both}: it adds nothing; a longer window wants a smaller factor"


def _share(place: Place, objective: EventObjective, slo: Slo) -> Iterator[Problem]:
    percent, given = objective.percent, (*place, "percent")
    if percent >= 100:
        yield given, f"{percent:g} leaves no budget: one bad event would be a miss; write less than 100, such as 99.9"
        return
    if percent <= 0:
        yield given, f"{percent:g} promises nothing: write the percentage of good events, such as 99.9"
        return
    rates = slo.burn_rates_of(objective)
    if not rates:
        yield place, f"no burn rate alerts where `severity` is {objective.severity}: add one to `burn_rates`"
    for rate in rates:
        if rate.factor > 0 and threshold(rate.factor, percent) >= 1:
            never = f"{percent:g} cannot burn {rate.factor:g} times too fast, were all events bad"
            more = f"write more than {100 - 100 / rate.factor:.4g}, or `severity: ticket`, or lower the factor"
            yield given, f"{never}: {more}"


def _events(place: Place, events: Events) -> Iterator[Problem]:
    metric = _METRICS.get(events.metric)
    if metric is None or metric.type == "gauge":
        yield (*place, "metric"), _no_metric(events.metric, ("counter", "histogram"))
        return
    yield from _labels(place, metric, events.where)
    if events.within is None:
        return
    if metric.type != "histogram":
        yield (*place, "within"), f"{metric.name} is a {metric.type}, which has no buckets: leave `within` out"
    elif events.within not in metric.buckets:
        below = [edge for edge in metric.buckets if edge < events.within][-1:]
        above = [edge for edge in metric.buckets if edge > events.within][:1]
        nearest = " or ".join(f"{edge:g}" for edge in below + above)
        mended = f"use {nearest}, or add the edge to contract/metrics.py"
        yield (*place, "within"), f"{events.within:g} is no bucket edge of {metric.name}: {mended}"


def _good(place: Place, objective: EventObjective) -> Iterator[Problem]:
    total, good = objective.total, objective.good
    metric = _METRICS.get(total.metric)
    if good is None or metric is None or good.metric not in _METRICS:
        return
    if good.metric != total.metric:
        yield (*place, "metric"), f"{good.metric} counts other events than `total`: name {total.metric}"
    elif problem := part_problem(metric, total, good):
        yield place, problem


def _gauge(place: Place, objective: BoundObjective) -> Iterator[Problem]:
    metric = _METRICS.get(objective.gauge)
    if metric is None or metric.type != "gauge":
        yield (*place, "gauge"), _no_metric(objective.gauge, ("gauge",))
    else:
        yield from _labels(place, metric, objective.where)


def _labels(place: Place, metric: Metric, where: dict[str, tuple[str, ...]]) -> Iterator[Problem]:
    """A value that never occurs would select nothing, and be UNKNOWN for ever."""
    for label, values in where.items():
        known = metric.values.get(label, values)
        for value in values:
            if value not in known:
                yield (*place, "where", label), f"{metric.name} has no {label} {value!r}; there are {', '.join(known)}"
        if label not in (*metric.labels, *_TARGET_LABELS):
            labels = ", ".join((*metric.labels, *_TARGET_LABELS))
            yield (*place, "where", label), f"{metric.name} has no label {label!r}; there are {labels}"


def _no_metric(name: str, types: tuple[str, ...]) -> str:
    known = [metric.name for metric in ALL if metric.type in types]
    near = get_close_matches(name, known, n=1, cutoff=0.4)
    found = f"a {_METRICS[name].type}" if name in _METRICS else "exposed by nobody"
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"{name} is {found}: name a {' or '.join(types)} of contract/metrics.py{meant}"
