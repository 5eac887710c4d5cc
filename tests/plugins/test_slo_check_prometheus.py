"""The committed objectives, and the cause of a miss, asked of a real Prometheus that scrapes real metrics."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contract.settings import Settings
from contract.slo import Verdict, read_slo
from pacesetter_airflow.objectives.cause import WEEK, Cause, find_cause
from pacesetter_airflow.objectives.prometheus import Prometheus
from pacesetter_airflow.objectives.record import Record
from pacesetter_airflow.objectives.verdicts import judged
from tests.airflow_sandbox import PROJECT
from tests.small_prometheus import Gateway, exporter, running_prometheus, traffic, until

TRAFFIC = ("recommend_latency", "model_latency", "recommend_availability")


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def prometheus(gateway: Gateway, tmp_path: Path) -> Iterator[str]:
    with exporter(gateway) as port, running_prometheus(tmp_path, port) as url:
        yield url


def verdicts(url: str, later_seconds: float = 0) -> dict[str, Record]:
    """Of the committed objectives, but for how many events a miss takes."""
    slo = read_slo(PROJECT / Settings(_env_file=None).monitoring.objectives).model_copy(update={"minimum_events": 1})
    asked, at = Prometheus(url, 60), time.time() + later_seconds
    return {objective.name: judged(slo, objective, asked, at, 60, "r") for objective in slo.objectives}


def judge_until(url: str, wanted: dict[str, Verdict]) -> dict[str, Record]:
    """Judge again and again until the verdicts are `wanted`."""
    found: dict[str, Record] = {}

    def as_wanted() -> bool:
        found.update(verdicts(url))
        return {name: record.verdict for name, record in found.items()}.items() >= wanted.items()

    until(as_wanted, lambda: {name: record.why for name, record in found.items()})
    return found


def test_objectives_are_unknown_then_held_then_missed(prometheus: str, gateway: Gateway) -> None:
    # Scraped, but nobody has asked for anything yet: that is not "no errors".
    gateway.age(60.0)
    judge_until(prometheus, {"generation_fresh": Verdict.OK, **dict.fromkeys(TRAFFIC, Verdict.UNKNOWN)})

    # Answers in time. No error has ever been counted, so that series does not even exist.
    with traffic(gateway):
        held = judge_until(prometheus, dict.fromkeys(TRAFFIC, Verdict.OK))
    assert held["recommend_latency"].budget_left == 1.0

    # A generation of two days, slow answers, and errors among them.
    gateway.age(2 * 86400.0)
    with traffic(gateway) as calls_take, traffic(gateway, "error"):
        calls_take(2.0)
        missed = judge_until(prometheus, dict.fromkeys(("generation_fresh", *TRAFFIC), Verdict.MISS))
    assert missed["generation_fresh"].why == "172800 s > 129600 s"
    left = missed["recommend_latency"].budget_left
    assert left is not None
    assert left < 0, "a percent of the calls of 30 days is spent by these alone"


def test_a_rate_that_outlives_its_target_is_unknown(tmp_path: Path, gateway: Gateway) -> None:
    with ExitStack() as serving:
        port = serving.enter_context(exporter(gateway))
        with running_prometheus(tmp_path, port) as url:
            with traffic(gateway):
                judge_until(url, dict.fromkeys(TRAFFIC, Verdict.OK))
            # Prometheus has not seen it go yet, or never does.
            old = verdicts(url, later_seconds=90)["recommend_latency"]
            assert old.verdict == Verdict.UNKNOWN
            assert re.match(
                r"stale: the newest sample of rec_request_duration_seconds is \d\d s old; the last", old.why
            )

            # It has; the half hour that is judged still has the requests.
            serving.close()
            gone = judge_until(url, dict.fromkeys(TRAFFIC, Verdict.UNKNOWN))["recommend_latency"]
    assert gone.why.startswith("stale: rec_request_duration_seconds is scraped no more; the last value is 100 % >=")


def cause_until_grown(url: str, window_seconds: int) -> Cause:
    found: list[Cause] = []

    def grown() -> bool:
        found.append(find_cause(Prometheus(url, 60), time.time(), window_seconds))
        return found[-1].grown is not None

    until(grown)
    return found[-1]


def test_the_stage_that_grew_is_found_by_whatever_is_earlier(prometheus: str, gateway: Gateway) -> None:
    gateway.serve("v7")
    with traffic(gateway) as calls_take:
        until(lambda: find_cause(Prometheus(prometheus, 60), time.time(), 4).compared_with != "")
        assert find_cause(Prometheus(prometheus, 60), time.time() - 3600, 4).compared_with == "", "nothing was there"
        calls_take(2.0)
        cause = cause_until_grown(prometheus, 4)
    assert cause.compared_with == "the day before, as far as there are data"
    assert cause.grown is not None
    assert (cause.grown.name, cause.models) == ("score", ("v7",))
    assert [(level.name, level.now) for level in cause.levels] == [("full", 1.0)]


def of_last_week(now: float) -> str:
    """A counter a minute of the hour that ended a week ago: 100 calls of 100 ms each, half of them at level fast."""
    lines, began = [], int(now) - WEEK - 3600
    for name, labels, each in (
        ("rec_stage_duration_seconds_sum", 'stage="score"', 0.1),
        ("rec_stage_duration_seconds_count", 'stage="score"', 1.0),
        ("rec_level_total", 'level="fast"', 0.5),
        ("rec_level_total", 'level="full"', 0.5),
    ):
        if not name.startswith("rec_level") or 'level="fast"' in labels:
            lines.append(f"# TYPE {name.removesuffix('_total')} {'counter' if name.endswith('_total') else 'gauge'}")
        lines += [f"{name}{{{labels}}} {100 * each * minute} {began + 60 * minute}" for minute in range(62)]
    return "\n".join([*lines, "# EOF\n"])


def test_it_is_compared_with_the_same_time_of_last_week(tmp_path: Path, gateway: Gateway) -> None:
    (tmp_path / "metrics").write_text(of_last_week(time.time()))
    blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "metrics", "data"]
    subprocess.run(blocks, cwd=tmp_path, check=True, capture_output=True)
    with exporter(gateway) as port, running_prometheus(tmp_path, port) as url, traffic(gateway) as calls_take:
        calls_take(0.4)
        cause = cause_until_grown(url, 300)
    assert cause.compared_with == "the same 5m of last week"
    (grown,) = [stage for stage in cause.stages if stage.name == "score"]
    assert (grown.now, grown.before) == (pytest.approx(0.36), pytest.approx(0.1))
    assert {level.name: (level.now, level.before) for level in cause.levels} == {
        "fast": (None, pytest.approx(0.5)),
        "full": (1.0, pytest.approx(0.5)),
    }
