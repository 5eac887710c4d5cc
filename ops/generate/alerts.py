"""Alerts of an objective: its budget goes too fast, or its gauge is past the bound; and nobody knows."""

from collections.abc import Iterator
from typing import Any

from contract.slo import (
    BoundObjective,
    BurnRate,
    EventObjective,
    Objective,
    Slo,
    alert_names,
    bound_text,
    duration_text,
    error_budget,
    spent_share,
    threshold,
)
from contract.slo.verdict import bound_of
from ops.generate.conventions import VALUE, error_ratio_series, events_series, labels_of, page_of


def objective_alerts(slo: Slo, objective: Objective) -> list[dict[str, Any]]:
    """An alert a severity that asks for one, then the one for no data."""
    if isinstance(objective, EventObjective):
        return [*_burns(slo, objective), _unknown(slo, objective)]
    return [_miss(slo, objective), _unknown(slo, objective)]


def alert(
    slo: Slo, name: str, expr: str, lasting: int, severity: str, summary: str, description: str, **labels: str
) -> dict[str, Any]:
    """A rule that fires once `expr` has yielded something for `lasting` seconds."""
    return {
        "alert": name,
        "expr": expr,
        "for": duration_text(lasting) or "0s",
        "labels": {"severity": severity, **labels},
        "annotations": {"summary": summary, "description": description, "runbook_url": page_of(name, slo.runbook_url)},
    }


def _burns(slo: Slo, objective: EventObjective) -> Iterator[dict[str, Any]]:
    allowed = f"{error_budget(objective.percent) * 100:.6g} %"
    for severity in ("page", "ticket"):
        rates = [rate for rate in slo.burn_rates_of(objective) if rate.severity == severity]
        if not rates:
            continue
        window = slo.window_of(objective)
        when = " or ".join(
            f"{rate.factor:g} times too fast over {duration_text(rate.long)} "
            f"({spent_share(rate.factor, rate.long, window) * 100:.3g} % of the budget of {duration_text(window)})"
            for rate in rates
        )
        yield alert(
            slo,
            alert_names(objective.name, objective.kind).missed,
            " or ".join(f"({_too_fast(slo, objective, rate)})" for rate in rates),
            0,
            severity,
            f"Budget burns: {objective.description}",
            f"{{{{ $value | humanizePercentage }}}} of the events were bad, {allowed} are allowed. Alerts from {when}.",
            **labels_of(slo, objective),
            sloth_severity=severity,
        )


def _too_fast(slo: Slo, objective: EventObjective, rate: BurnRate) -> str:
    """Its value is the share of bad events in the long window."""
    ours = _selector(slo, objective)
    limit = f"{threshold(rate.factor, objective.percent):.15g}"
    ratios = (
        f"max without (sloth_window) ({error_ratio_series(window)}{ours}) > {limit}"
        for window in (rate.long, rate.short)
    )
    return " and ".join([*ratios, f"{events_series(rate.long)}{ours} >= {slo.minimum_events}"])


def _miss(slo: Slo, objective: BoundObjective) -> dict[str, Any]:
    bound, at_most = bound_of(objective)
    return alert(
        slo,
        alert_names(objective.name, objective.kind).missed,
        f"{VALUE}{_selector(slo, objective)} {'>' if at_most else '<'} {bound:.15g}",
        objective.lasting,
        objective.severity,
        f"Missed: {objective.description}",
        f'Measured {{{{ printf "%.6g" $value }}}} {objective.unit}'.rstrip()
        + f", the objective is {bound_text(objective)}.",
        **labels_of(slo, objective),
    )


def _unknown(slo: Slo, objective: Objective) -> dict[str, Any]:
    # A comparison with missing data is silent, and 0/0 is NaN, which no bound exceeds: neither is OK.
    value = f"{VALUE}{_selector(slo, objective)}"
    return alert(
        slo,
        alert_names(objective.name, objective.kind).unknown,
        f"absent({value} == {value})",
        slo.patience.unknown,
        "ticket",
        f"Unknown: {objective.description}",
        "There is no data for this objective: nothing happened that it measures, or nothing is being scraped.",
        **labels_of(slo, objective),
    )


def _selector(slo: Slo, objective: Objective) -> str:
    return "{" + ",".join(f'{label}="{value}"' for label, value in labels_of(slo, objective).items()) + "}"
