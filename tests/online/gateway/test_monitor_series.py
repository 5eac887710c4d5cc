"""The series of /monitor.json: bounded, on whole steps, without times where nothing was answered."""

import pytest
from prometheus_client import CollectorRegistry

from contract import metrics as names
from contract.metrics import PARTS
from online.gateway.series import LEVELS, Series
from online.gateway.windows import Snapshot, snapshot
from tests.online.stack import running_stack
from tests.online.toy import publish, until


class Counted:
    """Metrics of a gateway that answers `level` after `model` seconds of scoring and as many in Redis."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.stages = names.histogram(names.STAGE_SECONDS, self.registry)
        self.levels = names.counter(names.LEVEL, self.registry)

    def answer(self, level: str, model: float) -> None:
        sums = {"model": model, "system": model, "total": 2 * model}
        for stage in names.STAGES:
            self.stages.labels(stage).observe({**sums, "score": model, "candidates": model}.get(stage, 0.0))
        self.levels.labels(level).inc()

    def at(self, seconds: float) -> Snapshot:
        return snapshot(self.registry.collect(), seconds)


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_a_point_is_what_happened_since_the_one_before(counted) -> None:
    series = Series(counted.at(0.0), length=10, step_seconds=5.0)
    counted.answer("full", 0.010)
    counted.answer("popular", 0.020)
    series.add(counted.at(5.0), 1005.1)
    counted.answer("full", 0.040)
    series.add(counted.at(10.0), 1009.9)

    columns = series.columns()

    assert columns["at"] == [1005.0, 1010.0]
    assert columns["t_total_ms"] == [30.0, 80.0]
    assert columns["parts_ms"]["score"] == [15.0, 40.0]
    assert columns["parts_ms"]["candidates"] == [15.0, 40.0]
    assert columns["answers_per_second"] == [0.4, 0.2]
    assert columns["levels_per_second"] == {
        "full": [0.2, 0.2],
        "fast": [0, 0],
        "precomputed": [0, 0],
        "popular": [0.2, 0],
    }


def test_parts_add_up_to_the_total(counted) -> None:
    series = Series(counted.at(0.0), length=10, step_seconds=5.0)
    for model in (0.001, 0.033, 0.2):
        counted.answer("full", model)
    series.add(counted.at(5.0), 5.0)

    columns = series.columns()

    assert sum(columns["parts_ms"][part][0] for part in PARTS) == pytest.approx(columns["t_total_ms"][0], abs=0.001)


def test_without_answers_there_are_no_times_and_a_rate_of_nothing(counted) -> None:
    series = Series(counted.at(0.0), length=10, step_seconds=5.0)
    series.add(counted.at(5.0), 5.0)

    columns = series.columns()

    assert (columns["t_total_ms"], columns["answers_per_second"]) == ([None], [0.0])
    assert columns["quantiles_ms"] == {"p50": [None], "p95": [None], "p99": [None]}


def test_no_more_points_are_kept_than_asked_for_and_every_column_has_as_many(counted) -> None:
    series = Series(counted.at(0.0), length=3, step_seconds=5.0)
    for number in range(1, 9):
        series.add(counted.at(number * 5.0), number * 5.0)

    columns = series.columns()

    assert columns["at"] == [30.0, 35.0, 40.0]
    for column in (columns["t_total_ms"], *columns["parts_ms"].values(), *columns["levels_per_second"].values()):
        assert len(column) == 3
    assert tuple(columns["levels_per_second"]) == LEVELS


def test_a_second_snapshot_in_a_step_waits_for_the_next_one(counted) -> None:
    series = Series(counted.at(0.0), length=10, step_seconds=5.0)
    series.add(counted.at(5.0), 5.0)
    counted.answer("full", 0.010)
    series.add(counted.at(6.0), 6.0)
    series.add(counted.at(10.0), 10.0)

    assert series.columns()["at"] == [5.0, 10.0]
    assert series.columns()["answers_per_second"] == [0.0, 0.2]


def test_a_clock_that_is_set_back_begins_anew(counted) -> None:
    series = Series(counted.at(0.0), length=10, step_seconds=5.0)
    series.add(counted.at(5.0), 1000.0)
    series.add(counted.at(10.0), 500.0)

    assert series.columns()["at"] == [500.0]


def test_any_worker_tells_what_all_of_them_did(tmp_path) -> None:
    with running_stack(tmp_path, PACE_GATEWAY__WORKERS="2") as stack:
        publish(stack.client, stack.keys)
        with stack.gateway():
            for _ in range(40):  # a connection each, so that both workers get some
                assert stack.ask()[0] == 200

            def told() -> list[dict]:
                return [stack.page("/monitor.json")[1] for _ in range(8)]

            until(lambda: all(any(report["series"]["answers_per_second"]) for report in told()), "each has its points")
            reports = told()

    for report in reports:
        (latency,) = [one for one in report["windows"]["1m"]["objectives"] if one["name"] == "recommend_latency"]
        assert (latency["events"], latency["value"]) == (40, 1.0)
