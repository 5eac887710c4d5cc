"""What is told of a request: its trace id in the answer, its line in the log, its spans at an OTLP collector."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from select import PIPE_BUF
from threading import Event, Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from contract.metrics import PARTS, SECONDS, STAGES
from contract.store.publisher import set_model
from online.gateway.metrics import GatewayMetrics
from online.gateway.stages import TimingMs
from online.gateway.telemetry.finished import Finished
from online.gateway.telemetry.observing import MANY, observe_all
from online.gateway.telemetry.request_log import RequestLog
from online.gateway.telemetry.telemetry import Telemetry
from online.gateway.telemetry.trace import Trace
from tests.online.toy import publish, until, write_model

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


class Collector:
    """Hears what is exported over OTLP/HTTP."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    collector.spans += [span for scope in resource.scope_spans for span in scope.spans]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}/v1/traces"


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = Thread(target=collector.server.serve_forever)
    thread.start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()
    thread.join()


@pytest.fixture
def published(client, keys, models) -> None:
    publish(client, keys)
    write_model(models, "m1")
    set_model(client, keys, "m1")


def lines(gateway, capfd) -> list[dict[str, Any]]:
    gateway.application.extensions["background"].telemetry.settle()
    return [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]


def test_an_answer_and_a_problem_name_the_trace(published, ranked_gateway) -> None:
    gateway = ranked_gateway()
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-00"}

    answer = gateway.get("/recommend?user_id=ann", headers=headers)
    problem = gateway.get("/recommend?n=none", headers=headers)

    assert answer.json["trace_id"] == answer.headers["X-Trace-Id"] == TRACE
    assert (problem.status_code, problem.headers["X-Trace-Id"]) == (400, TRACE)
    assert answer.json["recommendation_id"] != gateway.get("/recommend", headers=headers).json["recommendation_id"]


def test_a_trace_that_begins_here_does_not_tell_which_recommendation_it_led_to(published, ranked_gateway) -> None:
    gateway = ranked_gateway()
    answers = [gateway.get("/recommend").json for _ in range(2)]

    ids = [answer[name] for answer in answers for name in ("trace_id", "recommendation_id")]
    assert len(set(ids)) == 4
    assert {len(bytes.fromhex(id)) for id in ids} == {16}


def test_a_request_leaves_a_line_with_its_trace_and_times_and_nothing_of_who_asked(
    published, ranked_gateway, capfd
) -> None:
    gateway = ranked_gateway()
    answer = gateway.get("/recommend?user_id=ann&item_id=cup").json
    gateway.get("/recommend?user_id=ann&n=none")

    told, refused = lines(gateway, capfd)
    assert datetime.fromisoformat(told.pop("time")).tzinfo is not None
    assert told == {
        "trace_id": answer["trace_id"],
        "route": "/recommend",
        "method": "GET",
        "outcome": "ok",
        "status": 200,
        "timing_ms": answer["timing_ms"],
        "level": "full",
        "cached": False,
        "generation": 1,
        "model_version": "m1",
    }
    assert (refused["outcome"], refused["status"], "level" in refused) == ("refused", 400, False)


@pytest.mark.parametrize(("wanted", "told"), [("all", 3), ("degraded", 2), ("none", 0)])
def test_the_setting_says_which_requests_leave_a_line(published, ranked_gateway, capfd, wanted, told) -> None:
    gateway = ranked_gateway(log={"requests": wanted})
    for query in ("user_id=ann", "user_id=stranger", "n=none"):
        gateway.get(f"/recommend?{query}")

    assert len(lines(gateway, capfd)) == told


def test_a_traced_request_is_a_span_with_one_for_each_lap(published, ranked_gateway, collector) -> None:
    gateway = ranked_gateway(tracing={"endpoint": collector.endpoint, "sampled": 0.0})
    gateway.get("/recommend?user_id=ann", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    gateway.get("/recommend?user_id=ann", headers={"traceparent": f"00-{TRACE[::-1]}-{SPAN}-00"})
    gateway.get("/recommend?user_id=ann")  # a share of 0

    gateway.application.extensions["background"].telemetry.stop()

    [whole] = [span for span in collector.spans if span.name == "GET /recommend"]
    parts = [span for span in collector.spans if span is not whole]
    assert (whole.trace_id.hex(), whole.parent_span_id.hex()) == (TRACE, SPAN)
    assert {(span.trace_id, span.parent_span_id) for span in parts} == {(whole.trace_id, whole.span_id)}
    assert {span.name for span in parts} == set(PARTS)
    assert parts[0].start_time_unix_nano == pytest.approx(whole.start_time_unix_nano, abs=1000)
    assert parts[-1].end_time_unix_nano == whole.end_time_unix_nano
    assert sum(span.end_time_unix_nano - span.start_time_unix_nano for span in parts) == pytest.approx(
        whole.end_time_unix_nano - whole.start_time_unix_nano, rel=0.02
    )
    attributes = {attribute.key: attribute.value for attribute in whole.attributes}
    assert attributes["pacesetter.level"].string_value == "full"
    assert attributes["http.response.status_code"].int_value == 200


def test_the_trace_of_a_request_that_starts_one_is_the_one_in_its_answer(published, ranked_gateway, collector) -> None:
    gateway = ranked_gateway(tracing={"endpoint": collector.endpoint, "sampled": 1.0})
    answers = [gateway.get("/recommend?user_id=ann").json["trace_id"] for _ in range(3)]

    gateway.application.extensions["background"].telemetry.stop()

    wholes = [span for span in collector.spans if span.name == "GET /recommend"]
    assert [span.trace_id.hex() for span in wholes] == answers
    assert {span.parent_span_id for span in wholes} == {b""}


def test_without_a_collector_answers_are_as_they_were(published, ranked_gateway, collector) -> None:
    dead = collector.endpoint.replace(str(collector.server.server_port), "1")
    gateway = ranked_gateway(tracing={"endpoint": dead, "sampled": 1.0})

    assert gateway.get("/recommend?user_id=ann").json["level"] == "full"
    telemetry = gateway.application.extensions["background"].telemetry
    telemetry.settle()
    telemetry.stop()  # the spans are sent, in vain
    assert gateway.get("/recommend?user_id=ann").json["level"] == "full"


def finished(total: float, level: str | None = "full") -> Finished:
    timing = TimingMs(**dict.fromkeys(STAGES[:-1], total / 2), total=total)
    return Finished(0.0, "/recommend", "GET", Trace(TRACE), "ok" if level else "refused", 200, timing, [], [], level)  # type: ignore[arg-type]


class Stuck:
    """As a pipe that is full."""

    def __init__(self) -> None:
        self.asked, self.goes_on = Event(), Event()

    def tell(self, finished: object) -> None:
        self.asked.set()
        self.goes_on.wait(30)


class Broken:
    def tell(self, finished: object) -> None:
        raise OSError("nobody reads standard error")


class Kept:
    def __init__(self, told: list[Finished]) -> None:
        self.tell = told.extend

    def stop(self) -> None: ...


@pytest.mark.parametrize("times", [1, MANY])
def test_many_observations_at_once_are_as_one_after_the_other(times: int) -> None:
    columns = [[0.0, 0.0005, 0.00051, 0.125, 0.3, 4.9, 5.0, 5.1, 99.0], [0.0] * 9, [99.0] * 8 + [0.25]]
    columns = [column * times for column in columns]
    registry = CollectorRegistry()
    one, other = (Histogram(name, "", ["column"], registry=registry, buckets=SECONDS) for name in ("one", "other"))

    observe_all([one.labels(str(column)) for column in range(3)], columns)
    for column, values in enumerate(columns):
        for value in values:
            other.labels(str(column)).observe(value)

    text = generate_latest(registry).decode()
    counts = {
        name: re.findall(rf"^{name}_(?:bucket|sum|count)(\{{.*\}}) (\S+)$", text, re.M) for name in ("one", "other")
    }
    assert len(counts["one"]) == 3 * (len(SECONDS) + 3)
    assert counts["one"] == counts["other"]


def test_a_reader_of_the_metrics_sees_what_was_noted_before() -> None:
    metrics = GatewayMetrics()
    telemetry = Telemetry(metrics, RequestLog("none"))
    for _ in range(3):
        telemetry.note(finished(12.0))
    telemetry.note(finished(1.0, level=None))

    page = metrics.page().decode()

    assert 'rec_level_total{level="full"} 3.0' in page
    assert 'rec_stage_duration_seconds_count{stage="total"} 3.0' in page  # of answers alone
    assert 'rec_stage_duration_seconds_sum{stage="score"} 0.018' in page
    assert 'rec_request_duration_seconds_count{level="none",outcome="refused",route="/recommend"} 1.0' in page
    assert metrics.page().decode() == page  # told once


def test_one_listener_that_fails_costs_the_others_nothing(caplog) -> None:
    metrics, told = GatewayMetrics(), []
    telemetry = Telemetry(metrics, Broken(), Kept(told))
    telemetry.note(finished(12.0))
    telemetry.settle()

    assert len(told) == 1
    assert "Broken lost what 1 requests told" in caplog.text


def test_a_log_that_nobody_reads_costs_neither_metrics_nor_answers_nor_the_end(caplog, monkeypatch) -> None:
    monkeypatch.setattr("online.gateway.telemetry.telemetry.MOST_HELD", 5)
    monkeypatch.setattr("online.gateway.telemetry.telemetry.SETTLE_SECONDS", 0.01)
    monkeypatch.setattr("online.gateway.telemetry.telemetry.END_SECONDS", 0.1)
    metrics, stuck = GatewayMetrics(), Stuck()
    telemetry = Telemetry(metrics, stuck)
    telemetry.start()
    telemetry.note(finished(1.0))
    until(stuck.asked.is_set, "the log is being written")
    for _ in range(12):
        telemetry.note(finished(1.0))

    assert 'rec_level_total{level="full"} 13.0' in metrics.page().decode()
    telemetry.stop()
    assert "lines were not written" in caplog.text
    stuck.goes_on.set()


def test_lines_are_written_in_pieces_that_a_pipe_takes_whole() -> None:
    written: list[bytes] = []
    RequestLog("all", written.append).tell([finished(float(number)) for number in range(50)])

    assert max(map(len, written)) <= PIPE_BUF
    assert len(written) < 20
    assert all(piece.endswith(b"\n") for piece in written)
    totals = [json.loads(line)["timing_ms"]["total"] for line in b"".join(written).splitlines()]
    assert totals == [float(number) for number in range(50)]
