"""Where the clock of a request puts its time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from online.gateway.stages import OutOfTime, RequestClock


class Ticks:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> int:
        return round(self.now * 1e9)


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def clock(ticks) -> RequestClock:
    return RequestClock(1.0, now=ticks)


def test_all_time_since_the_lap_before_goes_to_a_part(clock, ticks) -> None:
    ticks.now = 100.001
    clock.lap("parse")
    ticks.now = 100.004
    clock.lap("candidates")
    ticks.now = 100.006
    clock.lap("rules")
    ticks.now = 100.010
    clock.lap("candidates")

    timing = clock.timing()

    assert (timing.parse, timing.candidates, timing.rules) == (1.0, 7.0, 2.0)
    assert (timing.model, timing.system, timing.total) == (0.0, 10.0, 10.0)


def test_what_the_ranker_did_not_measure_of_its_round_trip_is_the_way_there_and_back(clock, ticks) -> None:
    ticks.now = 100.020
    clock.ranked(queue=1000, features=2000, encode=3000, score=10_000)

    timing = clock.timing()

    assert (timing.queue, timing.features, timing.encode, timing.score) == (1.0, 2.0, 3.0, 10.0)
    assert timing.transfer == 4.0
    assert (timing.model, timing.system, timing.total) == (13.0, 7.0, 20.0)
    assert list(zip(clock.parts, clock.ends, strict=True)) == [
        ("transfer", 2000),
        ("queue", 3000),
        ("features", 5000),
        ("encode", 8000),
        ("score", 18_000),
        ("transfer", 20_000),
    ]


def test_a_ranker_whose_clock_is_fast_does_not_make_a_request_longer(clock, ticks) -> None:
    ticks.now = 100.010
    clock.ranked(queue=0, features=0, encode=5000, score=15_000)

    timing = clock.timing()

    assert (timing.encode, timing.score, timing.transfer, timing.total) == (2.5, 7.5, 0.0, 10.0)


@given(
    waited=st.floats(0, 1),
    measured=st.tuples(*[st.integers(0, 500_000) | st.just(0)] * 4),
    before=st.floats(0, 0.1),
)
def test_parts_are_never_negative_and_add_up_whatever_the_clocks_say(waited, measured, before) -> None:
    ticks = Ticks()
    clock = RequestClock(1.0, now=ticks)
    ticks.now += before
    clock.lap("candidates")
    ticks.now += waited
    clock.ranked(*measured)

    timing = astuple(clock.timing())

    assert min(timing) >= 0
    assert clock.ends == sorted(clock.ends)
    assert sum(round(part * 1000) for part in timing[:9]) == (ticks() - 100 * 10**9) // 1000
    assert timing[10] == pytest.approx(timing[11] - timing[9], abs=1e-9)


def test_a_ranker_that_had_nothing_to_do_took_only_the_way(clock, ticks) -> None:
    ticks.now = 100.002
    clock.ranked(0, 0, 0, 0)

    assert clock.timing().transfer == clock.timing().total == 2.0


def test_the_budget_counts_from_the_arrival(clock, ticks) -> None:
    ticks.now = 100.7
    clock.lap("candidates")
    clock.require(0.25)
    with pytest.raises(OutOfTime):
        clock.require(0.35)
