"""How time grows with the number of documents."""

import pytest

from benchmarks.rerank.growth import doublings, fitted


def test_a_straight_line_is_found_again() -> None:
    line = fitted({10: 5 + 20.0, 50: 5 + 100.0, 100: 5 + 200.0})
    assert line.base == pytest.approx(5)
    assert line.each == pytest.approx(2)
    assert line.r_squared == pytest.approx(1)


def test_what_the_line_leaves_lowers_r_squared() -> None:
    # Slope 2 and base -1 leave 1, -2 and 1: squares of 6, out of 14 around the mean.
    assert fitted({1: 2.0, 2: 1.0, 3: 6.0}) == pytest.approx((-1, 2, 1 - 6 / 14))


def test_the_same_time_for_every_n_is_a_flat_line_that_explains_all() -> None:
    assert fitted({10: 3.0, 20: 3.0}) == (3.0, 0.0, 1.0)


def test_one_point_is_no_line() -> None:
    with pytest.raises(ValueError, match="two n or more, and there is 1"):
        fitted({100: 1.0})


def test_a_doubling_is_told_of_each_pair_that_was_measured() -> None:
    # 10 has no 20, 200 no 400.
    times = {500: 9.0, 50: 1.0, 10: 0.4, 100: 2.0, 1000: 36.0, 200: 3.0}
    assert doublings(times) == {(50, 100): 2.0, (100, 200): 1.5, (500, 1000): 4.0}
