"""The rules on literal numbers."""

from collections.abc import Sequence

import numpy as np
import pytest
from pydantic import ValidationError

from contract.errors import BadInput
from contract.settings import Gate
from jobs.model.gate import rules
from jobs.model.gate.record import Comparison
from reranker.manifest import Level, Loss

GATE = Gate(confidence=0.95, tolerance=0.01)


def comparison(differences: list[float], gate: Gate = GATE, required: bool = True, note: str = "") -> Comparison:
    """Of a model with these gains, query by query, over a ranker with 0.5 on each."""
    other = np.full(len(differences), 0.5)
    return rules.compare("champion m1", other + differences, other, gate, 3, required, note)


def reasons(
    *comparisons: Comparison,
    milliseconds: float = 10,
    golden: float = 0.0,
    scores: Sequence[np.ndarray] = (np.array([1, 2], np.float32),),
) -> list[str]:
    took = rules.latency([milliseconds], 50, 100.0, "2 cores", "cpu", "float32", 2)
    return rules.reasons(comparisons, took, rules.parity(golden, 0.05), rules.score_check(scores))


def test_a_model_that_orders_alike_is_admitted() -> None:
    found = comparison([0.0] * 10)
    assert (found.bound, found.difference.mean, found.holds) == (0.0, 0.0, True)
    assert reasons(found) == []


@pytest.mark.parametrize(("loss", "holds"), [(-0.009, True), (-0.011, False)])
def test_a_certain_loss_is_admitted_within_the_tolerance_and_not_beyond(loss: float, holds: bool) -> None:
    assert comparison([loss] * 10).holds is holds


def test_a_mean_gain_is_not_enough_where_it_is_uncertain() -> None:
    found = comparison([0.5, -0.4, 0.5, -0.4, 0.5, -0.4])
    assert found.difference.mean == pytest.approx(0.05)
    assert found.bound is not None
    assert found.bound < -0.01
    assert not found.holds
    (reason,) = reasons(found)
    assert reason.startswith("not shown to be as good as champion m1: NDCG@10 0.5500 against 0.5000 on 6 test queries")
    assert "at level 0.95 it is only known to be above -0." in reason
    assert "and -0.01 is wanted (PACE_GATE__TOLERANCE)" in reason


def test_the_bound_is_one_sided_and_paired() -> None:
    """Of 400 gains of 0.02 ± 0.1 the mean's error is 0.005: the bound at 95% is 1.645 errors below the mean."""
    gains = np.random.default_rng(1).normal(0.0, 0.1, 400)
    gains = (gains - gains.mean()) / gains.std() * 0.1 + 0.02
    hard = np.random.default_rng(2).uniform(0.2, 0.8, 400)  # how hard a query is cancels out
    found = rules.compare("other", hard + gains, hard, GATE, 3)
    assert found.bound == pytest.approx(0.02 - 1.645 * 0.005, abs=0.0006)


def test_a_higher_confidence_asks_for_more() -> None:
    gains = [0.03, -0.02] * 30
    assert comparison(gains, Gate(confidence=0.6, tolerance=0.0)).holds
    assert not comparison(gains, Gate(confidence=0.999, tolerance=0.0)).holds


def test_a_loss_beyond_chance_is_called_worse() -> None:
    (reason,) = reasons(comparison([-0.1, -0.2, -0.1, -0.2]))
    assert reason.startswith("worse than champion m1: NDCG@10 0.3500 against 0.5000")


@pytest.mark.parametrize("differences", [[], [0.3]])
def test_fewer_than_two_queries_admit_nothing(differences: list[float]) -> None:
    (reason,) = reasons(comparison(differences))
    assert f"champion m1: {len(differences)} test queries are too few to compare on" in reason


def test_what_is_not_required_warns_and_says_why() -> None:
    found = comparison([-0.1] * 5, required=False, note="trained on 40 queries")
    assert reasons(found) == []
    (warning,) = rules.warnings([found])
    assert warning.startswith("worse than champion m1")
    assert warning.endswith("not required: trained on 40 queries")


def test_a_stand_in_for_the_champion_is_told() -> None:
    assert rules.warnings([comparison([0.0] * 5, note="no model is live")]) == ["champion m1: no model is live"]
    assert rules.warnings([comparison([0.0] * 5)]) == []


def test_the_latency_is_judged_by_its_95th_percentile() -> None:
    quick = rules.latency([10.0] * 96 + [900.0] * 4, 50, 100.0, "2 cores", "cpu", "float32", 2)
    assert (quick.p50_ms, quick.p95_ms, quick.holds) == (10.0, 10.0, True)
    assert quick.p99_ms == pytest.approx(900.0)
    slow = rules.latency([10.0] * 90 + [900.0] * 10, 50, 100.0, "2 cores", "cpu", "float32", 2)
    assert (slow.p95_ms, slow.holds) == (900.0, False)


def test_a_slow_model_is_refused_with_what_to_do() -> None:
    (reason,) = reasons(milliseconds=150)
    assert reason.startswith("too slow: 150 ms (p95 of 1 queries with 50 candidates, 2 threads on cpu)")
    assert "the budget is 100 ms (PACE_GATE__LATENCY_BUDGET_MS)" in reason


@pytest.mark.parametrize("difference", [0.06, float("nan")])
def test_golden_scores_that_do_not_reproduce_are_refused(difference: float) -> None:
    (reason,) = reasons(golden=difference)
    assert reason.startswith("golden scores differ by ")


def test_a_collapsed_model_is_refused_and_one_that_orders_a_single_query_is_not() -> None:
    flat, ordered = np.full(3, 0.7, np.float32), np.array([0.7, 0.8], np.float32)
    assert reasons(scores=[flat, ordered]) == []
    assert reasons(scores=[flat, flat + 1]) == [
        "it has collapsed: every candidate of a query gets the same score (6 pairs scored)"
    ]


def test_scores_that_are_no_numbers_are_refused_and_counted() -> None:
    scores = [np.array([0.1, np.nan, np.inf], np.float32), np.array([0.3, 0.4], np.float32)]
    assert reasons(scores=scores) == ["2 of 5 scores are no finite numbers"]


def test_every_reason_is_told() -> None:
    found = reasons(comparison([-0.1] * 5), milliseconds=150, golden=1.0, scores=[np.zeros(2, np.float32)])
    assert len(found) == 4


def level(name: str, final: Loss, text: Loss) -> Level:
    return Level(name, 3, 0.1, final, text)


def test_a_level_may_lose_what_the_settings_say_by_the_lower_end_of_its_interval() -> None:
    gate = Gate(level_loss_final={"full": 0.01}, level_loss_text={"full": 0.02})
    uncertain, sure = Loss(0.05, -0.02, 0.12), Loss(0.05, 0.03, 0.07)
    found = rules.level_losses([level("full", uncertain, sure)], gate)
    assert [(one.score, one.allowed, one.holds) for one in found] == [("final", 0.01, True), ("text", 0.02, False)]


def test_a_loss_without_an_interval_is_held_by_its_mean() -> None:
    found = rules.level_losses([level("fast", Loss(0.01, None, None), Loss(0.11, None, None))], Gate())
    assert [one.holds for one in found] == [True, False]


def test_a_level_without_a_bound_is_refused_with_the_settings_name() -> None:
    gate = Gate(level_loss_final={"fast": 0.02})
    with pytest.raises(BadInput, match="PACE_GATE__LEVEL_LOSS_FINAL has no bound for level full"):
        rules.level_losses([level("full", Loss(0.0, 0.0, 0.0), Loss(0.0, 0.0, 0.0))], gate)
    with pytest.raises(ValidationError):
        Gate(level_loss_text={"Full": 0.1})


def test_a_level_that_loses_too_much_is_a_reason_that_names_it() -> None:
    took = rules.latency([10.0], 50, 500.0, "m", "cpu", "float32", 2)
    levels = rules.level_losses([level("fast", Loss(0.0, 0.0, 0.0), Loss(0.3, 0.2, 0.4))], Gate())
    [reason] = rules.reasons([], took, rules.parity(0.0, 1.0), rules.score_check([np.array([1.0, 2.0])]), levels)
    assert "level fast loses too much of its teacher's text score: 30.0% [20.0%, 40.0%]" in reason
    assert "PACE_GATE__LEVEL_LOSS_TEXT" in reason
