"""The pure parts of benchmarks.monitoring_cost."""

import numpy as np
import pytest

from benchmarks.monitoring_cost_page import CASES, page
from benchmarks.watched_starts import Start, interval, losses, sampled, trimmed


def test_what_something_else_disturbed_is_left_out_on_either_side() -> None:
    assert trimmed([0.0, *[30.0] * 8, 5000.0]) == 30.0


def start(more: float, beside: float) -> Start:
    off = np.array([900.0, 920.0] * 200)
    return Start(off + more, off, beside, 0.002, 1000.0, [])


def test_a_cost_is_what_both_kinds_differ_by_and_what_is_done_beside() -> None:
    found = next(iter(sampled([start(30.0, 5.0), start(20.0, 7.0)])))

    assert found == pytest.approx((25.0, 6.0, 31.0, 0.033))


def test_what_is_done_beside_is_lost_whichever_turn_it_falls_into() -> None:
    turns = start(30.0, 5.0)._replace(lost=[0.01, -0.01])

    assert losses([turns, start(30.0, 5.0)]) == pytest.approx([0.017, -0.003])


def test_an_interval_is_as_wide_as_starts_differ() -> None:
    alike, apart = (
        interval([costs for _, _, costs, _ in sampled([start(20.0 - by, 5.0), start(20.0 + by, 5.0)])])
        for by in (0.0, 10.0)
    )

    assert 22.0 < alike["low"] < alike["found"] == 25.0 < alike["high"] < 28.0
    assert apart["low"] < 18.0 < apart["found"] == 25.0 < 32.0 < apart["high"]


@pytest.mark.parametrize(
    ("us", "share", "verdicts"),
    [
        ((40.0, 49.9), (0.02, 0.031), "met; met, not surely"),
        ((50.1, 60.0), (0.031, 0.04), "**MISSED**; **MISSED**"),
    ],
)
def test_the_page_says_what_was_missed_and_what_is_not_sure(us, share, verdicts) -> None:
    def shown(found: float, high: float) -> dict[str, float]:
        return {"found": found, "low": 0.0, "high": high}

    case = {
        "per_second": 900.0,
        "requests": 12_000,
        "request_us": 950.0,
        **dict.fromkeys(("inside_us", "beside_us", "throughput_lost"), shown(0.0, 1.0)),
        "by_clock": 0.0016,
        "us": shown(*us),
        "share": shown(*share),
    }
    found = {
        "machine": {"cores": 2, "cpu": "c", "memory_gib": 1, "kernel": "k", "python": "3", "load_before": [0]},
        "starts": 2,
        "short_turns": 80,
        "scrape_seconds": 15.0,
        "most_us": 50.0,
        "most_share": 0.03,
        **dict.fromkeys(CASES, case),
    }

    assert page(found).count(f"| {verdicts} |") == len(CASES)
