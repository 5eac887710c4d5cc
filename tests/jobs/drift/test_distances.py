"""PSI and KS on numbers that can be worked out by hand."""

import numpy as np
import pytest

from jobs.drift.distances import FLOOR, ks, psi


def numbers(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def words(*values: str | None) -> np.ndarray:
    return np.array([*values, None], object)[:-1]


def test_psi_of_two_values_is_what_the_formula_says() -> None:
    reference, current = numbers(*[0.0] * 50, *[1.0] * 50), numbers(*[0.0] * 80, *[1.0] * 20)
    expected = 0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5)
    assert psi(reference, current) == pytest.approx(expected)
    assert psi(words(*"aabb"), words(*"aaab")) == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5))


def test_psi_of_deciles() -> None:
    """A hundred values in ten bins of ten; the current ones all lie in the lowest."""
    reference = np.arange(100.0)
    expected = (1 - 0.1) * np.log(1 / 0.1) + 9 * (FLOOR - 0.1) * np.log(FLOOR / 0.1)
    assert psi(reference, np.zeros(50)) == pytest.approx(expected)
    assert psi(reference, np.random.default_rng(0).permutation(reference)) == 0


def test_a_constant_column_moves_when_it_takes_another_value() -> None:
    gone = 2 * (1 - FLOOR) * np.log(1 / FLOOR)
    assert psi(numbers(3, 3, 3), numbers(3, 3)) == 0
    assert psi(numbers(3, 3, 3), numbers(2, 2)) == psi(numbers(3, 3, 3), numbers(4, 4)) == pytest.approx(gone)


def test_a_missing_value_has_a_bin_of_its_own() -> None:
    nan = float("nan")
    assert psi(numbers(1, 1, nan, nan), numbers(1, nan, nan, nan)) == pytest.approx(
        -0.25 * np.log(0.5) + 0.25 * np.log(1.5)
    )
    assert psi(numbers(nan, nan), numbers(nan)) == 0
    assert psi(words(None, None, "a", "a"), words(None, "a")) == 0
    assert psi(words("a", "a"), words(None, None)) > 5


def test_a_word_that_was_not_known_counts() -> None:
    assert psi(words(*"aabb"), words(*"aazz")) == pytest.approx(
        (FLOOR - 0.5) * np.log(FLOOR / 0.5) + (0.5 - FLOOR) * np.log(0.5 / FLOOR)
    )


def test_ks_is_the_largest_distance_of_the_distributions() -> None:
    assert ks(numbers(1, 2, 3, 4), numbers(3, 4, 5, 6)) == 0.5
    assert ks(numbers(1, 2), numbers(1, 2)) == 0
    assert ks(numbers(1, float("nan")), numbers(5)) == 1  # of what is known
    assert ks(numbers(float("nan")), numbers(1)) is None
    assert ks(words("a"), words("b")) is None
