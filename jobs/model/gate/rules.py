"""The rules of the gate on numbers alone: nothing here reads, measures or knows a model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contract.errors import BadInput
from contract.settings import Gate
from jobs.model.gate.record import Comparison, Latency, LevelLoss, Parity, Scores
from jobs.model.quality import Estimate, estimate, lower_bound
from reranker.manifest import Level, Loss

# A query whose scores lie this close has no order.
SPREAD = 1e-6


def compare(
    against: str,
    model: NDArray[np.float64],
    other: NDArray[np.float64],
    gate: Gate,
    seed: int,
    required: bool = True,
    note: str = "",
) -> Comparison:
    """`model` and `other`: NDCG@10, float64[queries], of the same queries in the same order."""
    difference = model - other
    bound = lower_bound(difference, gate.confidence, seed)
    return Comparison(
        against=against,
        queries=len(difference),
        ndcg10=_mean(model),
        other_ndcg10=_mean(other),
        difference=estimate(difference, seed),
        bound=bound,
        confidence=gate.confidence,
        tolerance=gate.tolerance,
        holds=bound is not None and bound >= -gate.tolerance,
        required=required,
        note=note,
    )


def latency(
    milliseconds: Sequence[float], candidates: int, budget_ms: float, machine: str, device: str, half: str, threads: int
) -> Latency:
    p50, p95, p99 = (float(found) for found in np.percentile(milliseconds, (50, 95, 99)))
    return Latency(
        queries=len(milliseconds),
        candidates=candidates,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        budget_ms=budget_ms,
        device=device,
        number_format=half,
        threads=threads,
        machine=machine,
        holds=p95 <= budget_ms,
    )


def parity(difference: float, allowed: float) -> Parity:
    return Parity(difference, allowed, difference <= allowed)


def level_losses(levels: Sequence[Level], gate: Gate) -> list[LevelLoss]:
    """Both scores of every level, held to the bounds that the settings have for it. Raises BadInput for none."""
    found = []
    for level in levels:
        for score, loss, bounds in (
            ("final", level.loss_final, gate.level_loss_final),
            ("text", level.loss_text, gate.level_loss_text),
        ):
            allowed = bounds.get(level.name)
            if allowed is None:
                raise BadInput(
                    f"PACE_GATE__LEVEL_LOSS_{score.upper()} has no bound for level {level.name}: say what it may lose"
                )
            surely = loss.mean if loss.low is None else loss.low
            found.append(LevelLoss(level.name, score, loss, allowed, surely <= allowed))
    return found


def score_check(scores: Sequence[NDArray[np.float32]]) -> Scores:
    """`scores`: float32[n] a query. Holds where all are finite, and where they order the candidates of any query."""
    not_finite = int(sum((~np.isfinite(one)).sum() for one in scores))
    spread = max((float(np.ptp(one[np.isfinite(one)])) for one in scores if np.isfinite(one).any()), default=0.0)
    return Scores(sum(map(len, scores)), not_finite, spread, not_finite == 0 and spread > SPREAD)


def reasons(
    comparisons: Sequence[Comparison],
    took: Latency,
    golden: Parity,
    scores: Scores,
    levels: Sequence[LevelLoss] = (),
) -> list[str]:
    """Why the model may not serve; empty where it may."""
    found = [why(one) for one in comparisons if one.required and not one.holds]
    if not took.holds:
        found.append(
            f"too slow: {took.p95_ms:.0f} ms (p95 of {took.queries} queries with {took.candidates} candidates, "
            f"{took.threads} threads on {took.device}), the budget is {took.budget_ms:.0f} ms "
            "(PACE_GATE__LATENCY_BUDGET_MS): fewer student_layers, or a smaller PACE_GATEWAY__RERANK_DEPTH"
        )
    found += [
        f"level {one.level} loses too much of its teacher's {one.score} score: {told(one.loss)} of its NDCG@10, "
        f"{one.allowed:.1%} is allowed (PACE_GATE__LEVEL_LOSS_{one.score.upper()}): distil longer "
        "(distil_epochs), or on more queries (sample_queries)"
        for one in levels
        if not one.holds
    ]
    if not golden.holds:
        found.append(f"golden scores differ by {golden.difference:.4f} of their spread, {golden.allowed} is allowed")
    if scores.not_finite:
        found.append(f"{scores.not_finite} of {scores.pairs} scores are no finite numbers")
    elif not scores.holds:
        found.append(f"it has collapsed: every candidate of a query gets the same score ({scores.pairs} pairs scored)")
    return found


def warnings(comparisons: Sequence[Comparison]) -> list[str]:
    """What is wrong and was not required, and what stood in for something else."""
    found = [f"{why(one)}; not required: {one.note}" for one in comparisons if not one.required and not one.holds]
    return found + [f"{one.against}: {one.note}" for one in comparisons if one.note and one.required]


def why(one: Comparison) -> str:
    """A comparison that does not hold, in words."""
    if one.bound is None:
        return f"{one.against}: {one.queries} test queries are too few to compare on; widen PACE_TRAINING__TEST_DAYS"
    what = "worse than" if _surely_worse(one.difference) else "not shown to be as good as"
    return (
        f"{what} {one.against}: NDCG@10 {one.ndcg10:.4f} against {one.other_ndcg10:.4f} on {one.queries} test queries, "
        f"a difference of {one.difference}; at level {one.confidence:g} it is only known to be above {one.bound:.4f}, "
        f"and {-one.tolerance:g} is wanted (PACE_GATE__TOLERANCE)"
    )


def told(loss: Loss) -> str:
    """A loss with its interval."""
    interval = "" if loss.low is None or loss.high is None else f" [{loss.low:.1%}, {loss.high:.1%}]"
    return f"{loss.mean:.1%}{interval}"


def _surely_worse(difference: Estimate) -> bool:
    return difference.high is not None and difference.high < 0


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
