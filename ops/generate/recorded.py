"""Recording rules: what alerts and dashboards read of an objective, computed once each evaluation."""

from collections.abc import Iterator
from typing import Any

from contract.slo import (
    BoundObjective,
    EventObjective,
    Objective,
    Slo,
    duration_text,
    error_budget,
    error_ratio,
    event_count,
    target_share,
    value_query,
)
from contract.slo.promql import bad_rate, total_rate
from contract.slo.verdict import bound_of
from ops.generate.conventions import BOUND, VALUE, error_ratio_series, events_series, labels_of

DAY = 86_400


def recorded(slo: Slo, objective: Objective) -> list[dict[str, Any]]:
    """In an order in which each rule reads only those before it."""
    return [
        {"record": name, "labels": labels_of(slo, objective) | more, "expr": expr}
        for name, more, expr in _rules(slo, objective)
    ]


def _rules(slo: Slo, objective: Objective) -> Iterator[tuple[str, dict[str, str], str]]:
    yield VALUE, {}, value_query(objective, slo.judged)
    yield BOUND, {}, f"vector({bound_of(objective)[0]:.15g})"
    if isinstance(objective, BoundObjective):
        return
    rates = slo.burn_rates_of(objective)
    windows = sorted({window for rate in rates for window in (rate.short, rate.long)})
    for window in windows:
        yield error_ratio_series(window), {"sloth_window": duration_text(window)}, error_ratio(objective, window)
    for window in sorted({rate.long for rate in rates}):
        yield events_series(window), {}, event_count(objective, window)
    yield from _budget(slo, objective, windows)


def _budget(slo: Slo, objective: EventObjective, windows: list[int]) -> Iterator[tuple[str, dict[str, str], str]]:
    """How much is allowed, how fast it goes, how much is left."""
    ours = ",".join(f'{label}="{value}"' for label, value in labels_of(slo, objective).items())
    window, shortest = slo.window_of(objective), windows[0]
    step, whole = duration_text(shortest), duration_text(window)
    yield f"pace:bad_events:rate{step}", {}, bad_rate(objective, shortest)
    yield f"pace:events:rate{step}", {}, total_rate(objective, shortest)
    if window not in windows:
        # From what is recorded: the counters themselves over 30 days are some million samples an evaluation. Sums, not
        # a mean of ratios: an hour in which nobody asks must not weigh as much as one in which all do.
        sums = (f"sum_over_time(pace:{what}:rate{step}{{{ours}}}[{whole}])" for what in ("bad_events", "events"))
        yield error_ratio_series(window), {"sloth_window": whole}, " / ".join(sums)
    yield "slo:objective:ratio", {}, f"vector({target_share(objective.percent):.15g})"
    yield "slo:error_budget:ratio", {}, f"vector({error_budget(objective.percent):.15g})"
    yield "slo:time_period:days", {}, f"vector({window / DAY:.15g})"
    for name, seconds in (("current", shortest), ("period", window)):
        ratio = f"max without (sloth_window) ({error_ratio_series(seconds)}{{{ours}}})"
        yield f"slo:{name}_burn_rate:ratio", {}, f"{ratio} / slo:error_budget:ratio{{{ours}}}"
    yield "slo:period_error_budget_remaining:ratio", {}, f"1 - slo:period_burn_rate:ratio{{{ours}}}"
    yield "sloth_slo_info", {"sloth_objective": f"{objective.percent:.15g}"}, "vector(1)"
