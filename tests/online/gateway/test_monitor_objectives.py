"""What minutes do to the error budget, from what a gateway counted."""

import math
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from contract import metrics as names
from online.gateway.objectives import Objectives
from online.gateway.windows import Snapshot, snapshot

FILE = """
objectives:
  - name: quick
    kind: events
    description: 90 % of recommend calls are answered within half a second
    percent: 90
    severity: ticket
    total: {metric: rec_request_duration_seconds, where: {route: /recommend, outcome: [ok, error]}}
    good:
      metric: rec_request_duration_seconds
      where: {route: /recommend, outcome: ok, level: [full, fast]}
      within: 0.5
  - name: available
    kind: events
    description: 99 % do not end in an error
    percent: 99
    total: {metric: rec_request_duration_seconds, where: {outcome: [ok, error]}}
    bad: {metric: rec_request_duration_seconds, where: {outcome: error}}
  - name: full
    kind: events
    description: 80 % at level full
    percent: 80
    severity: ticket
    total: {metric: rec_level_total}
    good: {metric: rec_level_total, where: {level: full}}
  - {name: fresh, kind: bound, description: Young, gauge: rec_candidates_age_seconds, at_most: 100, unit: s}
  - {name: good, kind: bound, description: Good, gauge: rec_model_ndcg, at_least: 0.1}
  - {name: late, kind: bound, description: Late, gauge: rec_generation, at_least: 8}
  - {name: clicked, kind: bound, description: C, gauge: rec_slate_through, where: {event: click}, at_least: 0.02}
  - {name: bought, kind: bound, description: B, gauge: rec_slate_through, where: {event: purchase}, at_least: 0.02}
  - {name: lowest, kind: bound, description: L, gauge: rec_slate_through, where: {job: gateway}, at_least: 0.02}
  - {name: highest, kind: bound, description: H, gauge: rec_slate_through, at_most: 0.5}
"""


@pytest.fixture
def objectives(tmp_path: Path) -> Objectives:
    path = tmp_path / "slo.yaml"
    path.write_text(FILE)
    found = Objectives(path)
    assert found.unknown is None
    return found


def answered() -> Snapshot:
    """Ten calls: seven good, one late, one at a level below, one failed; and one refused, which is the caller's."""
    registry = CollectorRegistry()
    requests = names.histogram(names.REQUEST_SECONDS, registry)
    levels = names.counter(names.LEVEL, registry)
    for outcome, level, seconds in (
        *[("ok", "full", 0.1)] * 7,
        ("ok", "full", 0.6),
        ("ok", "popular", 0.1),
        ("error", "none", 0.1),
        ("refused", "none", 0.1),
    ):
        requests.labels("/recommend", outcome, level).observe(seconds)
        if outcome == "ok":
            levels.labels(level).inc()
    return snapshot(registry.collect(), 60.0)


def gauged(generation: float, click: float, purchase: float) -> Snapshot:
    registry = CollectorRegistry()
    names.gauge(names.GENERATION, registry).set(generation)
    through = names.gauge(names.SLATE_THROUGH, registry)
    through.labels("click").set(click)
    through.labels("purchase").set(purchase)
    return snapshot(registry.collect(), 60.0)


def test_good_and_bad_events_are_told_apart(objectives) -> None:
    found = {entry["name"]: entry for entry in objectives.judged(answered(), Snapshot(0.0), 40.0)}

    assert (found["quick"]["events"], found["quick"]["bad"], found["quick"]["value"]) == (10, 3, 0.7)
    assert (found["quick"]["burn_rate"], found["quick"]["verdict"]) == (3.0, "MISS")
    assert (found["available"]["events"], found["available"]["bad"]) == (10, 1)
    assert found["available"]["burn_rate"] == 10.0
    assert (found["full"]["events"], found["full"]["bad"], found["full"]["verdict"]) == (9, 1, "OK")


def test_a_bound_is_judged_where_the_gateway_knows_the_gauge(objectives) -> None:
    found = {entry["name"]: entry for entry in objectives.judged(answered(), Snapshot(0.0), 140.0)}

    assert (found["fresh"]["value"], found["fresh"]["verdict"], found["fresh"]["burn_rate"]) == (140.0, "MISS", None)
    assert (found["good"]["value"], found["good"]["verdict"]) == (None, "UNKNOWN")
    assert "rec_model_ndcg" in found["good"]["why"]


def test_a_bound_is_judged_on_the_gauge_with_the_labels_that_it_names(objectives) -> None:
    now = gauged(generation=7, click=0.25, purchase=0.01)

    found = {entry["name"]: entry for entry in objectives.judged(now, Snapshot(0.0), None)}

    assert (found["late"]["value"], found["late"]["verdict"]) == (7, "MISS")
    assert (found["clicked"]["value"], found["clicked"]["verdict"]) == (0.25, "OK")
    assert (found["bought"]["value"], found["bought"]["verdict"]) == (0.01, "MISS")
    assert (found["lowest"]["value"], found["highest"]["value"]) == (0.01, 0.25)  # of several, the worst


def test_a_gauge_that_is_no_number_is_unknown_and_says_why(objectives) -> None:
    now = gauged(generation=7, click=0.25, purchase=math.nan)

    found = {entry["name"]: entry for entry in objectives.judged(now, Snapshot(0.0), None)}

    assert (found["bought"]["value"], found["bought"]["verdict"]) == (None, "UNKNOWN")
    assert found["bought"]["why"] == "no slate is old enough yet, or no such event has come"
    assert (found["lowest"]["value"], found["highest"]["value"]) == (0.25, 0.25)  # as Prometheus passes over NaN


def test_without_events_nothing_is_known(objectives) -> None:
    now = answered()

    found = objectives.judged(now, now, None)

    assert {entry["verdict"] for entry in found} == {"UNKNOWN"}
    assert {(entry["value"], entry["burn_rate"]) for entry in found} == {(None, None)}


def test_a_file_that_cannot_be_used_says_why(tmp_path) -> None:
    found = Objectives(tmp_path / "none.yaml")

    assert "none.yaml" in found.unknown
    assert found.judged(answered(), Snapshot(0.0), 1.0) == []
