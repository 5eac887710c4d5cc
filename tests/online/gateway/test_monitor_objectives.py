"""What minutes do to the error budget, from what a gateway counted."""

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


def test_without_events_nothing_is_known(objectives) -> None:
    now = answered()

    found = objectives.judged(now, now, None)

    assert {entry["verdict"] for entry in found} == {"UNKNOWN"}
    assert {(entry["value"], entry["burn_rate"]) for entry in found} == {(None, None)}


def test_a_file_that_cannot_be_used_says_why(tmp_path) -> None:
    found = Objectives(tmp_path / "none.yaml")

    assert "none.yaml" in found.unknown
    assert found.judged(answered(), Snapshot(0.0), 1.0) == []
