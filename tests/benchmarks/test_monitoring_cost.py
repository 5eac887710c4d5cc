"""The pure parts of benchmarks.monitoring_cost."""

import pytest

from benchmarks.monitoring_cost import _interval
from benchmarks.monitoring_cost_page import CASES, page


def test_a_paired_difference_is_a_median_with_an_interval() -> None:
    found = _interval([30.0] * 20 + [1000.0])  # one round that something else disturbed

    assert found == {"median": 30.0, "low": 30.0, "high": 30.0}


@pytest.mark.parametrize(("us", "lost", "verdicts"), [(49.9, 0.031, "met, MISSED"), (50.1, 0.0, "MISSED, met")])
def test_the_page_says_what_was_missed(us, lost, verdicts) -> None:
    run = {"cpu_us": 900.0, "per_second": 1000.0, "p50_ms": 1.0}
    same = {"low": 0.0, "high": 0.1}
    case = {
        "variants": {"off": run, "on": run},
        "cost": {"on": {"us": {"median": us, **same}, "throughput_lost": {"median": lost, **same}}},
    }
    found = {
        "machine": {"cores": 2, "cpu": "c", "memory_gib": 1, "kernel": "k", "python": "3", "load_before": [0]},
        "rounds": 3,
        "work_ms": 20,
        "most_us": 50.0,
        "most_share": 0.03,
        "requests": 100,
        "starts": 10,
        "requests_with_work": 20,
        "scrape_seconds": 5.0,
        **dict.fromkeys(CASES, case),
    }

    assert page(found).count(f"| {verdicts} |") == len(CASES)
