"""The verdict on one objective: OK or MISS on a number that is whole, fresh and of enough events, else UNKNOWN."""

import math
from datetime import UTC, datetime

from contract import metrics
from contract.slo import (
    EventObjective,
    Judgement,
    Objective,
    Slo,
    Verdict,
    bound_text,
    duration_text,
    error_ratio,
    event_count,
    judge,
    remaining_budget,
    value_query,
)
from contract.slo.promql import series
from contract.slo.schema import Events
from contract.slo.verdict import bound_of, with_unit
from pacesetter_airflow.objectives.prometheus import NoAnswer, Prometheus, Refused
from pacesetter_airflow.objectives.record import Record


def judged(
    slo: Slo, objective: Objective, prometheus: Prometheus, at: float, stale_after_seconds: float, run: str
) -> Record:
    """What Prometheus says of `objective` at the Unix time `at`."""
    answered = True
    try:
        judgement = _judgement(slo, objective, prometheus, at, stale_after_seconds)
    except NoAnswer as error:
        answered, judgement = False, judge(objective, None, str(error))
    except Refused as error:
        judgement = judge(objective, None, str(error))
    bound, at_most = bound_of(objective)
    events = isinstance(objective, EventObjective)
    return Record(
        time=datetime.fromtimestamp(at, UTC),
        run=run,
        objective=objective.name,
        verdict=str(judgement.verdict),
        why=judgement.why,
        kind=objective.kind,
        description=objective.description,
        promised=bound_text(objective),
        value=judgement.value,
        shown="" if judgement.value is None else with_unit(objective, judgement.value),
        bound=bound,
        at_most=at_most,
        window_seconds=slo.judged if events else None,
        budget_left=_budget_left(slo, objective, prometheus, at) if events and answered else None,
        budget_seconds=slo.window_of(objective) if isinstance(objective, EventObjective) else None,
        answered=answered,
        trainable=trainable(objective),
    )


def _judgement(
    slo: Slo, objective: Objective, prometheus: Prometheus, at: float, stale_after_seconds: float
) -> Judgement:
    judgement = judge(objective, *number(prometheus, value_query(objective, slo.judged), at))
    if judgement.value is None:
        return judgement
    stale = _stale(objective, prometheus, at, stale_after_seconds)
    if stale:
        return judge(objective, None, f"{stale}; the last value is {judgement.why}")
    if judgement.verdict is Verdict.MISS and isinstance(objective, EventObjective):
        # As its alerts: one bad answer of two is no trend.
        events, _ = number(prometheus, event_count(objective, slo.judged), at)
        if events is None or events < slo.minimum_events:
            few = f"{events or 0:.0f} events in {duration_text(slo.judged)}, of {slo.minimum_events} that it takes"
            return judge(objective, None, f"too few to call it a miss: {few}; {judgement.why}")
    return judgement


def number(prometheus: Prometheus, query: str, at: float) -> tuple[float | None, str]:
    """The one number that `query` yields, or None and why there is none. Raises NoAnswer, Refused."""
    samples, warnings = prometheus.ask(query, at)
    if warnings:
        return None, f"partial data: {'; '.join(warnings)}"
    if not samples:
        return None, "no data"
    if len(samples) > 1:
        return None, f"the query yields {len(samples)} series, not one number"
    if math.isnan(samples[0].value):
        return None, "not a number: nothing was measured in the window"
    return samples[0].value, ""


def _stale(objective: Objective, prometheus: Prometheus, at: float, stale_after_seconds: float) -> str:
    """Why the newest sample is too old, or an empty string.

    A rate over half an hour has a value for long after its targets went; so has a gauge, for five minutes, where
    Prometheus could not see them go.
    """
    events = isinstance(objective, EventObjective)
    counted = objective.total if events else Events(metric=objective.gauge, where=objective.where)
    age, _ = number(prometheus, f"time() - max(timestamp({series(counted)}))", at)
    if age is None:
        return f"stale: {counted.metric} is scraped no more"
    return f"stale: the newest sample of {counted.metric} is {age:.0f} s old" if age > stale_after_seconds else ""


def _budget_left(slo: Slo, objective: Objective, prometheus: Prometheus, at: float) -> float | None:
    """The share of the error budget that is left; None where nobody knows. A verdict does not wait for it."""
    assert isinstance(objective, EventObjective)
    # The generated rules record it: over 30 days that is a hundredth of the samples that the counters have.
    recorded = f'slo:period_error_budget_remaining:ratio{{sloth_service="{slo.service}",sloth_slo="{objective.name}"}}'
    try:
        left, _ = number(prometheus, recorded, at)
        if left is None:
            ratio, _ = number(prometheus, error_ratio(objective, slo.window_of(objective)), at)
            left = None if ratio is None else remaining_budget(ratio, objective.percent)
    except (NoAnswer, Refused):
        return None
    return left


def trainable(objective: Objective) -> bool:
    """Whether a newer model may cure a miss: the objective bounds how long answers take, or how well they rank."""
    if isinstance(objective, EventObjective):
        return objective.good is not None and objective.good.within is not None
    return objective.gauge == metrics.MODEL_NDCG.name
