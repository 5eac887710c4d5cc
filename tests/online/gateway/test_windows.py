"""Figures of a window come from differences of cumulative counts."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client import Histogram as PrometheusHistogram

from online.gateway.windows import Histogram, History, Snapshot, snapshot


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_a_window_sees_only_what_came_since(registry) -> None:
    histogram = PrometheusHistogram("t", "", ["stage"], registry=registry, buckets=(1.0, 2.0, 4.0))
    histogram.labels("model").observe(0.5)
    before = snapshot(registry.collect(), at=0.0)
    for value in (1.5, 1.5, 3.0, 3.0):
        histogram.labels("model").observe(value)
    now = snapshot(registry.collect(), at=60.0)

    seen = now.histogram("t", before, "model")

    assert seen.count == 4
    assert seen.mean() == pytest.approx(2.25)
    assert seen.counts == (0, 2, 4, 4)


def test_nothing_observed_has_no_figures(registry) -> None:
    empty = snapshot(registry.collect(), at=1.0).histogram("t", Snapshot(0.0), "model")

    assert (empty.count, empty.mean(), empty.quantile(0.5)) == (0, None, None)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        (0.25, 1.0),  # the end of the first bucket
        (0.125, 0.5),  # half-way through it
        (0.5, 1.5),
        (0.75, 2.0),
        (0.99, 4.0),  # beyond the last bound: that bound
    ],
)
def test_quantiles_are_linear_within_a_bucket(q, expected) -> None:
    seen = Histogram((1.0, 2.0, 4.0, float("inf")), (2, 6, 6, 8), sum=20.0)

    assert seen.quantile(q) == pytest.approx(expected)


def test_what_never_took_any_time_has_no_percentile_above_zero() -> None:
    seen = Histogram((0.0005, 0.001, float("inf")), (40, 40, 40), sum=0.0)

    assert [seen.quantile(q) for q in (0.5, 0.95, 0.99)] == [0.0, 0.0, 0.0]


def test_a_percentile_is_no_higher_than_the_mean_allows() -> None:
    seen = Histogram((1.0, 2.0, float("inf")), (10, 10, 10), sum=1.0)  # a mean of 0.1

    assert seen.quantile(0.5) == pytest.approx(0.2)  # were it 0.5, half of them alone would take 2.5
    assert seen.quantile(0.99) == pytest.approx(0.99)  # the mean would allow 10: linear within the bucket


@given(
    observed=st.lists(st.floats(0.0, 20.0), min_size=1, max_size=60),
    bounds=st.lists(st.floats(0.001, 10.0), min_size=1, max_size=8, unique=True).map(sorted),
    q=st.floats(0.01, 0.999),
)
def test_no_estimate_is_above_its_bucket_or_what_the_mean_allows(observed, bounds, q) -> None:
    bounds = (*bounds, float("inf"))
    counts = tuple(sum(value <= bound for value in observed) for bound in bounds)
    seen = Histogram(bounds, counts, sum(observed))
    true_quantile = sorted(observed)[ceil(q * len(observed)) - 1]
    edge = next(bound for bound in bounds if true_quantile <= bound)

    estimate = seen.quantile(q)

    assert 0 <= estimate <= edge
    assert estimate <= seen.mean() / (1 - q)
    assert seen.quantile(q / 2) <= estimate


def test_a_snapshot_has_gauges_by_their_labels(registry) -> None:
    gauge = Gauge("share", "", ["event"], registry=registry)
    gauge.labels("click").set(0.25)

    assert snapshot(registry.collect(), at=1.0).gauges == {("share", ("click",)): 0.25}


def test_a_counter_that_started_again_counts_from_zero() -> None:
    labels = ("hit",)
    before = Snapshot(0.0, counters={("c_total", labels): 10.0})
    now = Snapshot(1.0, counters={("c_total", labels): 4.0})

    assert now.counts("c_total", before) == {}
    assert now.counts("c_total", Snapshot(0.0)) == {"hit": 4.0}


def test_counts_leave_out_what_did_not_happen(registry) -> None:
    counter = Counter("level", "", ["level"], registry=registry)
    counter.labels("full").inc(2)
    before = snapshot(registry.collect(), at=0.0)
    counter.labels("popular").inc(3)

    assert snapshot(registry.collect(), at=1.0).counts("level_total", before) == {"popular": 3.0}


def test_history_gives_the_newest_snapshot_that_is_old_enough_and_forgets_the_rest() -> None:
    history = History(Snapshot(0.0), keep_seconds=30.0)
    for at in range(10, 101, 10):
        history.add(Snapshot(float(at)))

    assert history.before(75.0).at == 70.0
    assert history.before(100.0).at == 100.0
    assert history.before(5.0).at == 70.0  # the oldest kept: the one that the longest window starts at
