"""Every verdict on every answer that Prometheus can give, and what a task makes of it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.sdk.exceptions import AirflowFailException

from contract.errors import BadInput
from contract.slo import BoundObjective, EventObjective, Objective, Slo, read_slo
from pacesetter_airflow.objectives.prometheus import Prometheus
from pacesetter_airflow.objectives.record import Record
from pacesetter_airflow.objectives.verdicts import judged, trainable
from pacesetter_airflow.slo_check import ListObjectives, Missed, SloCheck, Unknown
from tests.airflow_sandbox import PROJECT

AT = 1764000000.0
QUEUE = BoundObjective(
    kind="bound", name="queue", description="The queue is short", gauge="rec_queue_size", at_most=0.5, unit="s"
)
CALLS = {"metric": "rec_request_duration_seconds", "where": {}}
LATENCY = EventObjective(
    kind="events", name="latency", description="Quick", percent=90, total=CALLS, good={**CALLS, "within": 0.5}
)


def vector(*values: str, **more: Any) -> Any:
    result = [{"metric": {}, "value": [AT, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}, **more}


class Api:
    """What the API at `url` answers to the three questions of a verdict; it refuses that of the budget."""

    def __init__(self) -> None:
        self.url = ""
        self.value, self.age, self.events = vector("0.25"), vector("15"), vector("100")

    def answer(self, query: str) -> Any:
        if query.startswith("time() - max(timestamp("):
            return self.age
        if query.startswith("sum(increase("):
            return self.events
        if "[30d]" in query or query.startswith("slo:"):
            return {"status": "error", "error": "too many samples"}
        return self.value


@pytest.fixture
def api() -> Iterator[Api]:
    given = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = given.answer(parse_qs(urlsplit(self.path).query)["query"][0])
            self.send_response(200 if body["status"] == "success" else 422)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    given.url = f"http://127.0.0.1:{server.server_port}"
    yield given
    server.shutdown()
    thread.join()
    server.server_close()


def verdict(api: Api, objective: Objective = QUEUE) -> tuple[str, str]:
    record = judge(api.url, objective)
    return record.verdict, record.why


def judge(url: str, objective: Objective, patience: float = 60) -> Record:
    slo = Slo(objectives=(objective,))
    return judged(slo, objective, Prometheus(url, patience), AT, stale_after_seconds=120, run="r")


@pytest.mark.parametrize(
    ("value", "verdict_and_why"),
    [
        (vector("0.25"), ("OK", "0.25 s <= 0.5 s")),
        (vector("0.5"), ("OK", "0.5 s <= 0.5 s")),
        (vector("0.75"), ("MISS", "0.75 s > 0.5 s")),
        (vector("+Inf"), ("MISS", "inf s > 0.5 s")),
        (vector(), ("UNKNOWN", "no data")),
        (vector("NaN"), ("UNKNOWN", "not a number: nothing was measured in the window")),
        (vector("0.1", "0.2"), ("UNKNOWN", "the query yields 2 series, not one number")),
        (vector("0.25", warnings=["b: no answer"]), ("UNKNOWN", "partial data: b: no answer")),
        ({"status": "error", "error": "1:5: x"}, ("UNKNOWN", "Prometheus refuses the query: 1:5: x")),
    ],
)
def test_only_one_whole_number_within_its_bound_is_ok(api: Api, value: Any, verdict_and_why: tuple[str, str]) -> None:
    api.value = value
    assert verdict(api) == verdict_and_why


@pytest.mark.parametrize(
    ("age", "why"),
    [
        (vector("121"), "stale: the newest sample of rec_queue_size is 121 s old; the last value is 0.25 s <= 0.5 s"),
        (vector(), "stale: rec_queue_size is scraped no more; the last value is 0.25 s <= 0.5 s"),
    ],
)
def test_a_value_of_old_samples_is_unknown(api: Api, age: Any, why: str) -> None:
    api.age = age
    assert verdict(api) == ("UNKNOWN", why)


@pytest.mark.parametrize(
    ("value", "events", "expected"),
    [
        ("0.5", "29.9", "UNKNOWN"),  # too few to call it a miss
        ("0.5", "30", "MISS"),
        ("0.95", "1", "OK"),
    ],
)
def test_one_bad_answer_of_two_is_no_miss(api: Api, value: str, events: str, expected: str) -> None:
    api.value, api.events = vector(value), vector(events)
    assert verdict(api, LATENCY)[0] == expected


def test_a_verdict_does_not_wait_for_the_budget(api: Api) -> None:
    api.value = vector("0.95")
    record = judge(api.url, LATENCY)
    assert (record.verdict, record.budget_left, record.budget_seconds) == ("OK", None, 30 * 86_400)
    assert (record.value, record.shown, record.promised) == (0.95, "95 %", "at least 90 %")


def test_every_question_is_of_the_same_time(api: Api) -> None:
    assert judge(api.url, LATENCY).time.timestamp() == AT


def test_a_prometheus_that_is_gone_is_unknown_and_told_from_one_without_data(unused_url: str, api: Api) -> None:
    gone = judge(unused_url, QUEUE, patience=0.2)
    assert (gone.verdict, gone.answered) == ("UNKNOWN", False)
    assert gone.why == f"no answer from {unused_url} within 0.2 s (ConnectionError)"
    api.value = vector()
    assert judge(api.url, QUEUE).answered


def test_a_model_may_mend_what_is_about_latency_or_quality() -> None:
    committed = read_slo(PROJECT / "ops" / "slo.yaml").objectives
    assert [objective.name for objective in committed if trainable(objective)] == [
        "recommend_latency",
        "model_latency",
        "ranking_quality",
    ]


@pytest.fixture
def task(api: Api, tmp_path: Path) -> Any:
    """Runs the task of one objective of a file that has `queue`; what it left for the task that tells."""
    file = tmp_path / "slo.yaml"
    given = QUEUE.model_dump(include={"name", "kind", "description", "gauge", "at_most"})
    file.write_text(json.dumps({"objectives": [given]}))
    left: dict[str, Any] = {}

    def execute(objective: str = "queue") -> Record:
        ti = SimpleNamespace(xcom_push=lambda key, value: left.update({key: value}))
        operator = SloCheck(
            task_id="c",
            objective=objective,
            objectives=str(file),
            prometheus_url=api.url,
            patience_seconds=10,
            stale_after_seconds=120,
        )
        operator.execute({"run_id": "r", "ti": ti})
        return Record.from_json(left["record"])

    execute.left = left
    return execute


def test_the_task_of_an_objective_that_is_kept_is_green(task: Any) -> None:
    assert task().verdict == "OK"


def test_a_miss_fails_at_once_and_leaves_its_record(task: Any, api: Api) -> None:
    api.value = vector("0.75")
    with pytest.raises(Missed, match=r"MISS: queue: 0\.75 > 0\.5 \(at most 0\.5 is promised\)") as failure:
        task()
    assert isinstance(failure.value, AirflowFailException)
    assert task.left["record"]["verdict"] == "MISS"


def test_what_is_unknown_fails_but_may_be_asked_again(task: Any, api: Api) -> None:
    api.value = vector()
    with pytest.raises(Unknown, match="UNKNOWN: queue: no data") as failure:
        task()
    assert not isinstance(failure.value, AirflowFailException)
    assert task.left["record"]["verdict"] == "UNKNOWN"


def test_an_objective_that_was_removed_meanwhile_is_no_verdict(task: Any) -> None:
    with pytest.raises(AirflowFailException, match="gone was removed while the run went on"):
        task("gone")
    assert task.left == {}


def test_the_objectives_are_those_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    names = ListObjectives(task_id="n", objectives=str(PROJECT / "ops" / "slo.yaml")).execute({})
    assert "recommend_latency" in names
    wrong = tmp_path / "slo.yaml"
    wrong.write_text("objectives:\n  - {name: x}\n")
    with pytest.raises(BadInput, match=r"slo\.yaml:2: "):
        ListObjectives(task_id="n", objectives=str(wrong)).execute({})
