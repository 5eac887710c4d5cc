"""The estimate that decides whether a request is worth starting."""

import pytest

from online.ranker.budget import CostModel, LevelCosts, Waiting


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


def test_what_a_request_costs_by_itself_is_told_from_what_its_pairs_cost() -> None:
    cost = CostModel()
    for pairs in (1, 100, 10, 50, 100, 1):
        cost.learn(pairs, 0.010 + 0.001 * pairs)
    assert cost.predicted_seconds(1) == pytest.approx(0.011)
    assert cost.predicted_seconds(1000) == pytest.approx(1.010)
    assert cost.predicted_seconds(1000, requests=3) == pytest.approx(1.030)


def test_batches_teach_what_is_saved_together_and_nothing_of_one_alone() -> None:
    cost = CostModel()
    for pairs in (10, 100, 10, 100):
        cost.learn(pairs, 0.010 + 0.001 * pairs)
    assert cost.predicted_seconds(400, requests=4) == pytest.approx(0.440)
    for _ in range(100):
        cost.learn(400, 0.330, requests=4)
    assert cost.predicted_seconds(400, requests=4) == pytest.approx(0.330, rel=1e-3)
    assert cost.predicted_seconds(200, requests=2) == pytest.approx(0.165, rel=1e-3)
    assert cost.predicted_seconds(100) == pytest.approx(0.110)


def test_estimates_are_never_below_zero() -> None:
    cost = CostModel()
    for pairs, seconds in ((100, 0.1), (10, 0.2), (100, 0.1)):  # fewer pairs took longer
        cost.learn(pairs, seconds)
    assert 0 < cost.predicted_seconds(1) < cost.predicted_seconds(50)


@pytest.fixture
def costs() -> LevelCosts:
    """full takes 10 ms a pair, fast 1 ms."""
    found = LevelCosts()
    found.learn("full", 10, 0.1)
    found.learn("fast", 10, 0.01)
    return found


BOTH = ("full", "fast")


def test_the_best_level_in_time_is_taken(costs: LevelCosts) -> None:
    assert costs.within(BOTH, 10, 0, 0, seconds=0.2) == "full"
    assert costs.within(BOTH, 10, 0, 0, seconds=0.05) == "fast"
    assert costs.within(BOTH, 10, 0, 0, seconds=0.005) is None


def test_what_waits_behind_makes_the_level_lower(costs: LevelCosts) -> None:
    assert costs.within(BOTH, 10, 20, 2, seconds=0.2) == "fast"
    assert costs.within(BOTH, 10, 2000, 20, seconds=0.2) == "fast"  # alone it can be done
    assert costs.within(BOTH, 10, 2000, 20, seconds=0.005) is None


def test_a_level_that_is_passed_over_is_tried_again_after_a_while(costs: LevelCosts) -> None:
    passed = 0
    while (level := costs.within(BOTH, 10, 0, 0, seconds=0.05)) == "fast":
        costs.passed_over(BOTH, level)
        passed += 1
    assert 10 < passed < 100
    assert costs.within(("fast",), 10, 0, 0, seconds=0.0101) == "fast"  # its own estimate stayed


def test_a_level_that_is_still_slow_is_not_tried_again_at_once(costs: LevelCosts) -> None:
    """full takes 100 ms of a budget of 90: once tried in vain it is left alone as long as at first."""

    def passed_over() -> int:
        passed = 0
        while costs.within(BOTH, 10, 0, 0, seconds=0.09) == "fast":
            costs.passed_over(BOTH, "fast")
            passed += 1
        return passed

    first = passed_over()
    costs.learn("full", 10, 0.1)
    assert first >= 5
    assert passed_over() == first


def test_only_levels_that_are_allowed_are_served_but_never_none() -> None:
    assert LevelCosts(("fast",)).served(BOTH) == ("fast",)
    assert LevelCosts(("fast",)).served(("full",)) == ("full",)
    assert LevelCosts().served(BOTH) == BOTH


def test_what_is_left_shrinks_while_a_request_waits() -> None:
    waiting = Waiting(budget_ms=100.0, arrived=10.0)

    assert waiting.waited_seconds(10.03) == pytest.approx(0.03)
    assert waiting.remaining_seconds(10.03) == pytest.approx(0.07)
    assert waiting.remaining_seconds(10.2) < 0
