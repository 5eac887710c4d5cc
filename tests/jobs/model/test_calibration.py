"""Calibration, on scores whose probabilities are known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from jobs.model.calibration import BINS, Pairs, calibration, platt, reliability
from tests.colour_shop import query


def pairs(log_share: list[float] | np.ndarray, taken: list[float] | np.ndarray, of_query: int = 4) -> Pairs:
    values = np.asarray(log_share, np.float64)
    return Pairs(values, np.asarray(taken, np.float64), np.arange(len(values)) // of_query)


def drawn(count: int, seed: int, slope: float = 1.5, offset: float = -0.5) -> Pairs:
    random = np.random.default_rng(seed)
    values = random.normal(-1, 1, count)
    return pairs(values, random.random(count) < expit(slope * values + offset))


def test_a_score_is_known_by_its_share_of_the_list_alone() -> None:
    asked = replace(query(0), labels=frozenset(query(0).candidates.item_ids[:1]))
    scores = np.array([2.0, 1.0, 0.0], np.float32)
    found, moved = (Pairs.of([asked], {asked.query_id: scores + shift}) for shift in (0, 100))
    assert found.log_share == pytest.approx(scores - np.log(np.exp(scores).sum()))
    assert moved.log_share == pytest.approx(found.log_share)
    assert found.taken.tolist() == [1, 0, 0]


def test_a_query_without_a_candidate_has_no_part() -> None:
    asked = [query(0), query(1)]
    found = Pairs.of(asked, {"q000": np.zeros(0, np.float32), "q001": np.zeros(2, np.float32)})
    assert found.query.tolist() == [0, 0]
    assert found.log_share == pytest.approx([np.log(0.5)] * 2)


def test_the_two_numbers_of_a_sigmoid_are_found_again() -> None:
    known = drawn(200_000, 1)
    slope, offset = platt(known.log_share, known.taken)
    assert slope == pytest.approx(1.5, abs=0.05)
    assert offset == pytest.approx(-0.5, abs=0.05)


def test_scores_that_part_all_takes_give_no_endless_slope() -> None:
    slope, offset = platt(np.array([-1.0, -2.0, 1.0, 2.0]), np.array([0.0, 0, 1, 1]))
    assert 0 < slope < 100
    assert np.isfinite(offset)


def test_bins_hold_equally_many_pairs_and_say_what_was_taken() -> None:
    predicted = np.linspace(0.005, 0.995, 100)
    found = reliability(predicted, pairs(predicted, predicted > 0.5), seed=1)
    assert [one.pairs for one in found] == [10] * BINS
    assert [one.observed.mean for one in found] == [0.0] * 5 + [1.0] * 5
    assert found[0].predicted == pytest.approx(predicted[:10].mean())


def test_the_error_is_the_mean_distance_between_said_and_seen() -> None:
    """Fitted on a period that takes half of everything, measured on one that takes a fifth."""
    said = pairs([0.0] * 1000, [1.0, 0.0] * 500)
    seen = pairs([0.0] * 1000, [1.0, 0.0, 0.0, 0.0, 0.0] * 200)
    found = calibration(said, seen, seed=1)
    assert found is not None
    assert found.error == pytest.approx(0.3, abs=1e-3)
    assert found.brier == pytest.approx(0.25, abs=1e-3)  # said 0.5 of everything
    assert found.constant_brier == pytest.approx(0.25)
    assert (found.taken, len(found.bins)) == (pytest.approx(0.2), 1)


def test_probabilities_that_hold_have_little_error_and_others_more() -> None:
    honest = calibration(drawn(20_000, 1), drawn(20_000, 2), seed=1)
    changed = calibration(drawn(20_000, 1), drawn(20_000, 2, slope=0.3), seed=1)
    assert honest is not None
    assert changed is not None
    assert honest.error < 0.01 < 5 * honest.error < changed.error
    assert honest.brier < honest.constant_brier - 0.02
    assert all(one.observed.low <= one.observed.mean <= one.observed.high for one in honest.bins)


@pytest.mark.parametrize("taken", [[0.0] * 8, [1.0] * 8, []])
def test_without_a_take_or_without_a_refusal_nothing_can_be_fitted(taken: list[float]) -> None:
    assert calibration(pairs([0.0] * len(taken), taken), drawn(8, 1), seed=1) is None


def test_a_constant_score_has_no_slope_whatever_its_rounding() -> None:
    values = np.log(1 / 9) + np.array([0, 4e-16] * 50)
    slope, offset = platt(values, np.array([1.0, 0, 0, 0] * 25))
    assert slope == 0
    assert expit(offset) == pytest.approx(0.25, abs=0.01)
