"""The estimate that decides whether a request is worth starting."""

import pytest

from online.ranker.budget import CostModel, Waiting


def test_the_first_request_sets_the_estimate_and_later_ones_move_it() -> None:
    cost = CostModel()
    assert cost.predicted_seconds(100) == 0  # nothing is known: nothing is refused

    cost.learn(10, 0.1)
    assert cost.predicted_seconds(100) == pytest.approx(1.0)

    for _ in range(100):
        cost.learn(10, 0.2)
    assert cost.predicted_seconds(100) == pytest.approx(2.0, rel=0.01)


def test_an_estimate_that_refuses_everything_fades() -> None:
    cost = CostModel()
    cost.learn(1, 1000.0)

    refusals = 0
    while cost.predicted_seconds(50) > 0.5:
        cost.refused()
        refusals += 1

    assert refusals < 1000


def test_no_pairs_teach_nothing() -> None:
    cost = CostModel()
    cost.learn(0, 1.0)
    assert cost.predicted_seconds(10) == 0


def test_what_is_left_shrinks_while_a_request_waits() -> None:
    waiting = Waiting(budget_ms=100.0, arrived=10.0)

    assert waiting.waited_seconds(10.03) == pytest.approx(0.03)
    assert waiting.remaining_seconds(10.03) == pytest.approx(0.07)
    assert waiting.remaining_seconds(10.2) < 0
