"""Asking Prometheus: what is asked again and for how long, and what its answers mean."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from pacesetter_airflow.objectives.prometheus import Answer, NoAnswer, Prometheus, Refused, Sample

AT = 1764000000.0


def success(kind: str, result: Any, **more: Any) -> tuple[int, Any]:
    return 200, {"status": "success", "data": {"resultType": kind, "result": result}, **more}


@pytest.fixture
def answers() -> Iterator[Callable[..., Prometheus]]:
    """Starts a server that gives these answers, one after the other and the last again; a Prometheus client of it."""
    servers = []

    def start(*given: tuple[int, Any], patience: float = 60) -> Prometheus:
        left = list(given)

        class Api(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b"<html>bad gateway</html>" if body is None else json.dumps(body).encode())

            def log_message(self, format: str, *args: Any) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Api)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        servers.append((server, thread))
        return Prometheus(f"http://127.0.0.1:{server.server_port}/", patience)

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (success("scalar", [AT, "0.25"]), Answer([Sample({}, 0.25)], [])),
        (success("vector", []), Answer([], [])),
        (
            success("vector", [{"metric": {"a": "b"}, "value": [AT, "+Inf"]}]),
            Answer([Sample({"a": "b"}, float("inf"))], []),
        ),
        (success("vector", [], warnings=["no answer from b"]), Answer([], ["no answer from b"])),
    ],
)
def test_samples_are_read_with_labels_and_warnings(answers: Any, answer: tuple[int, Any], read: Answer) -> None:
    assert answers(answer).ask("up", AT) == read


def test_a_5xx_is_asked_again(answers: Any) -> None:
    prometheus = answers((502, None), (503, {"status": "error", "error": "starting"}), success("vector", []))
    assert prometheus.ask("up", AT) == Answer([], [])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((400, {"status": "error", "error": "1:5: parse error"}), "Prometheus refuses the query: 1:5: parse error"),
        (success("matrix", []), "the query yields a matrix, not numbers of one time"),
        ((200, {"status": "success"}), r"does not answer as Prometheus does \(HTTP 200, KeyError\)"),
        ((200, []), r"does not answer as Prometheus does \(HTTP 200, TypeError\)"),
        ((404, None), r"does not answer as Prometheus does \(HTTP 404, JSONDecodeError\)"),
    ],
)
def test_what_asking_again_would_not_help_is_refused_at_once(answers: Any, answer: tuple[int, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        answers(answer, (500, None)).ask("up", AT)


def test_the_budget_is_shared_by_all_questions(answers: Any) -> None:
    prometheus = answers((500, None), patience=0.6)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=r"no answer from .* within 0\.6 s \(HTTP 500\)"):
        prometheus.ask("up", AT)
    with pytest.raises(NoAnswer, match="the questions before took all of it"):
        prometheus.ask("up", AT)
    assert time.monotonic() - began >= 0.6


def test_a_server_that_is_gone_is_no_answer(unused_url: str) -> None:
    with pytest.raises(NoAnswer, match=r"no answer from .* within 0\.3 s \(ConnectionError\)"):
        Prometheus(unused_url, 0.3).ask("up", AT)


def test_an_address_that_is_none_is_not_asked_again() -> None:
    with pytest.raises(NoAnswer, match="cannot be asked"):
        Prometheus("nonsense", 60).ask("up", AT)
