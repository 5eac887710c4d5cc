"""Verdicts, budgets and queries of objectives: within the bound is OK, past it a MISS, and no number is UNKNOWN."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.slo import (
    BoundObjective,
    EventObjective,
    Verdict,
    bound_text,
    burn_rate,
    duration_text,
    error_budget,
    error_ratio,
    event_count,
    judge,
    remaining_budget,
    spent_share,
    target_share,
    threshold,
    value_query,
)
from contract.slo.duration import LONGEST, parse_duration
from contract.slo.schema import Events

AGE = BoundObjective(
    kind="bound", name="age", description="Fresh", gauge="rec_candidates_age_seconds", at_most=60, unit="s"
)
QUALITY = BoundObjective(kind="bound", name="quality", description="Good", gauge="rec_model_ndcg", at_least=0.1)
TOTAL = Events(metric="rec_level_total")
FULL = EventObjective(
    kind="events", name="full", description="At full", percent=99.9, total=TOTAL,
    good=Events(metric="rec_level_total", where={"level": "full"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("objective", "held", "missed", "why"),
    [
        (AGE, 60, math.nextafter(60, 61), "60 s <= 60 s"),
        (QUALITY, 0.1, math.nextafter(0.1, 0), "0.1 >= 0.1"),
        (FULL, 0.999, math.nextafter(0.999, 0), "99.9 % >= 99.9 %"),
        (AGE, -math.inf, math.inf, "-inf s <= 60 s"),
    ],
)
def test_the_bound_itself_is_within(objective, held: float, missed: float, why: str) -> None:
    assert judge(objective, held).verdict is Verdict.OK
    assert judge(objective, held).why == why
    assert judge(objective, missed).verdict is Verdict.MISS


@given(st.floats(allow_nan=False))
def test_any_number_is_ok_or_a_miss(value: float) -> None:
    judgement = judge(QUALITY, value)
    assert judgement.verdict is (Verdict.OK if value >= 0.1 else Verdict.MISS)
    assert judgement.value == value


@pytest.mark.parametrize("objective", [AGE, FULL])
@pytest.mark.parametrize("value", [None, math.nan])
def test_no_data_is_unknown_and_says_why(objective, value: float | None) -> None:
    judgement = judge(objective, value, "Prometheus does not answer")
    assert (judgement.verdict, judgement.value) == (Verdict.UNKNOWN, None)
    assert judgement.why == "Prometheus does not answer"
    assert judge(objective, value).why == "no data"


def test_a_bound_is_told_with_its_unit() -> None:
    assert [bound_text(objective) for objective in (AGE, QUALITY, FULL)] == [
        "at most 60 s", "at least 0.1", "at least 99.9 %",
    ]  # fmt: skip


def test_a_percentage_is_a_share_without_the_noise_of_binary_fractions() -> None:
    assert (target_share(99.9), error_budget(99.9)) == (0.999, 0.001)
    assert threshold(14.4, 99.9) == 0.0144


def test_the_factors_of_the_workbook_spend_what_it_says() -> None:
    month = 30 * 86_400
    spent = [spent_share(14.4, 3600, month), spent_share(6, 6 * 3600, month), spent_share(1, 3 * 86_400, month)]
    assert spent == pytest.approx([0.02, 0.05, 0.10])


def test_a_budget_goes_and_is_overspent() -> None:
    assert [remaining_budget(ratio, 99) for ratio in (0, 0.005, 0.01, 0.03)] == pytest.approx([1, 0.5, 0, -2])
    assert burn_rate(0.02, 99) == pytest.approx(2)


@given(st.integers(1, LONGEST))
def test_a_length_of_time_is_written_as_it_is_read(seconds: int) -> None:
    assert parse_duration(duration_text(seconds)) == seconds


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("1w", 604_800), ("1d12h", 129_600), ("5s", 5)])
def test_units_of_time(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("given", ["", "5", "m", "5m1h", "1.5h", "-5m", "5 m", "0s", 5, None, True])
def test_what_is_no_length_of_time(given: object) -> None:
    with pytest.raises(ValueError, match="write it as 30s"):
        parse_duration(given)


def test_good_and_bad_events_make_the_same_ratio() -> None:
    """The series of what never happened does not exist: 0 where there is a total, nothing where there is none."""
    bad = FULL.model_copy(update={"good": None, "bad": Events(metric="rec_level_total", where={"level": "popular"})})
    total = "sum(rate(rec_level_total[5m]))"
    assert error_ratio(bad, 300) == f'(sum(rate(rec_level_total{{level="popular"}}[5m])) or 0 * {total}) / {total}'
    good = f'(sum(rate(rec_level_total{{level="full"}}[5m])) or 0 * {total})'
    assert error_ratio(FULL, 300) == f"clamp_min({total} - {good}, 0) / {total}"
    assert value_query(FULL, 300) == f"1 - {error_ratio(FULL, 300)}"
    assert event_count(FULL, 86_400) == "sum(increase(rec_level_total[1d]))"


def test_a_bound_asks_for_the_worst_process() -> None:
    assert value_query(AGE, 300) == "max(rec_candidates_age_seconds)"
    assert value_query(QUALITY, 300) == "min(rec_model_ndcg)"


@pytest.mark.parametrize(
    ("events", "series"),
    [
        (Events(metric="rec_stage_duration_seconds"), "rec_stage_duration_seconds_count"),
        (Events(metric="rec_stage_duration_seconds", within=1), 'rec_stage_duration_seconds_bucket{le="1.0"}'),
        (Events(metric="rec_level_total", where={"level": ["a.b", "c"]}), r'rec_level_total{level=~"a\\.b|c"}'),
        (Events(metric="rec_level_total", where={"level": 'a"\\'}), r'rec_level_total{level="a\"\\"}'),
    ],
)
def test_events_are_selected_by_labels_and_bucket(events: Events, series: str) -> None:
    assert event_count(FULL.model_copy(update={"total": events}), 60) == f"sum(increase({series}[1m]))"
