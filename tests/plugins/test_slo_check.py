"""Every verdict on every answer that Prometheus can give, and what the task makes of them."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from contract.slo import BoundObjective, Verdict, value_query
from pacesetter_airflow.slo_check import SloCheck, judged, verdict_table

P99 = BoundObjective(
    kind="bound", name="p99", description="Answers are quick", gauge="rec_queue_size", at_most=0.5, unit="s"
)


def asking(label: str) -> BoundObjective:
    """An objective whose query is the one of ANSWERS that has this label."""
    return P99.model_copy(update={"name": label, "where": {"instance": (label,)}})


def vector(*values: str) -> tuple[int, dict[str, Any]]:
    result = [{"metric": {}, "value": [1764000000.0, value]} for value in values]
    return 200, {"status": "success", "data": {"resultType": "vector", "result": result}}


# Answers of the HTTP API of Prometheus, by query.
ANSWERS: dict[str, tuple[int, Any]] = {
    "held": vector("0.25"),
    "edge": vector("0.5"),
    "missed": vector("0.75"),
    "infinite": vector("+Inf"),
    "not_a_number": vector("NaN"),
    "nothing": vector(),
    "two_series": vector("0.1", "0.2"),
    "scalar": (200, {"status": "success", "data": {"resultType": "scalar", "result": [1764000000.0, "0.25"]}}),
    "range": (200, {"status": "success", "data": {"resultType": "matrix", "result": []}}),
    "unreadable": (400, {"status": "error", "errorType": "bad_data", "error": "1:5: parse error"}),
    "no_json": (502, None),
}


class Api(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)["query"][0]
        label = query.removeprefix('max(rec_queue_size{instance="').removesuffix('"})')
        status, answer = ANSWERS[label] if url.path == "/api/v1/query" else (404, None)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"<html>bad gateway</html>" if answer is None else json.dumps(answer).encode())

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def prometheus() -> Iterator[str]:
    """A server with the API's shape, which answers from ANSWERS."""
    server = HTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("query", "verdict", "why"),
    [
        ("held", Verdict.OK, "0.25 s <= 0.5 s"),
        ("edge", Verdict.OK, "0.5 s <= 0.5 s"),
        ("scalar", Verdict.OK, "0.25 s <= 0.5 s"),
        ("missed", Verdict.MISS, "0.75 s > 0.5 s"),
        ("infinite", Verdict.MISS, "inf s > 0.5 s"),
        ("nothing", Verdict.UNKNOWN, "no data"),
        ("not_a_number", Verdict.UNKNOWN, "not a number: nothing was measured in the window"),
        ("two_series", Verdict.UNKNOWN, "the query yields 2 series, not one number"),
        ("range", Verdict.UNKNOWN, "the query yields a matrix, not one number"),
        ("unreadable", Verdict.UNKNOWN, "Prometheus refuses the query: 1:5: parse error"),
        ("no_json", Verdict.UNKNOWN, "no answer from {url} (JSONDecodeError)"),
    ],
)
def test_only_a_number_within_its_bound_is_ok(prometheus: str, query: str, verdict: Verdict, why: str) -> None:
    judgement = judged(prometheus, P99, query)
    assert (judgement.verdict, judgement.why) == (verdict, why.format(url=prometheus))


def test_a_prometheus_that_is_gone_is_unknown(unused_url: str) -> None:
    judgement = judged(unused_url, P99, "held")
    assert (judgement.verdict, judgement.why) == (Verdict.UNKNOWN, f"no answer from {unused_url} (ConnectionError)")


def test_misses_stand_first_and_every_line_has_the_bound(prometheus: str) -> None:
    objectives = [asking(label) for label in ("held", "nothing", "missed")]
    judgements = [judged(prometheus, objective, value_query(objective, 60)) for objective in objectives]
    assert verdict_table(judgements).splitlines() == [
        "MISS     missed               0.75 s > 0.5 s  # Answers are quick",
        "UNKNOWN  nothing              no data; at most 0.5 s is promised  # Answers are quick",
        "OK       held                 0.25 s <= 0.5 s  # Answers are quick",
    ]


@pytest.fixture
def check(prometheus: str, tmp_path: Path) -> Any:
    """Runs the task on objectives with these queries; its report is at tmp_path/reports/r.txt."""

    def execute(*queries: str) -> None:
        file = tmp_path / "slo.yaml"
        kept = {"name", "kind", "description", "gauge", "where", "at_most", "unit"}
        objectives = [asking(query).model_dump(include=kept) for query in queries]
        file.write_text(json.dumps({"objectives": objectives}))
        report = str(tmp_path / "reports" / "r.txt")
        SloCheck(task_id="c", objectives=str(file), prometheus_url=prometheus, report=report).execute({})

    return execute


def test_the_task_is_green_only_if_all_are_ok(check: Any, tmp_path: Path) -> None:
    check("held", "edge")
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("queries", [("held", "missed"), ("missed", "nothing")])
def test_a_miss_fails_the_task_at_once(check: Any, tmp_path: Path, queries: tuple[str, ...]) -> None:
    with pytest.raises(AirflowFailException, match="MISS     missed"):
        check(*queries)
    assert len((tmp_path / "reports" / "r.txt").read_text().splitlines()) == len(queries)


def test_what_is_unknown_fails_the_task_but_may_be_asked_again(check: Any, tmp_path: Path) -> None:
    with pytest.raises(AirflowException, match="UNKNOWN  nothing") as failure:
        check("held", "nothing")
    assert not isinstance(failure.value, AirflowFailException)
    assert "UNKNOWN  nothing" in (tmp_path / "reports" / "r.txt").read_text()
