"""The gateway as it is run: granian, signals, several workers."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading

from contract.store.publisher import set_model
from tests.online.stack import running_stack
from tests.online.toy import SCORING, publish, until, write_model


def test_a_request_in_flight_is_answered_at_the_stop_and_impressions_are_written(tmp_path) -> None:
    with running_stack(tmp_path) as stack:
        publish(stack.client, stack.keys)
        write_model(tmp_path, "slow", seconds=1.0)
        set_model(stack.client, stack.keys, "slow")
        with stack.ranker() as ranker, stack.gateway() as gateway:
            until(lambda: "serves" in stack.page("/readyz")[1]["ranker"], "the ranker serves")
            answers = []
            asking = threading.Thread(
                target=lambda: answers.append(stack.ask("user_id=ann&item_id=cup&timeout_ms=9000"))
            )
            asking.start()
            until((tmp_path / "slow" / SCORING).exists, "it is being scored")

            gateway.send_signal(signal.SIGTERM)
            asking.join(20)

            assert gateway.wait(20) == 0
            assert [(status, answer["level"]) for status, answer in answers] == [(200, "full")]
            assert stack.client.xlen(stack.keys.impressions) == 1
            ranker.send_signal(signal.SIGTERM)
            assert ranker.wait(20) == 0


def test_several_workers_are_one_gateway(tmp_path) -> None:
    objectives = tmp_path / "slo.yaml"
    objectives.write_text("objectives: [{name: live, kind: bound, description: L, gauge: rec_generation, at_least: 1}]")
    settings = {"PACE_GATEWAY__WORKERS": "2", "PACE_MONITORING__OBJECTIVES": str(objectives)}
    with running_stack(tmp_path, **settings) as stack:
        publish(stack.client, stack.keys)
        with stack.gateway():
            for _ in range(40):  # a connection each, so that both workers get some
                assert stack.ask()[0] == 200

            # Each worker tells in its own time what it was asked last.
            counted = 'rec_level_total{level="precomputed"} 40.0'
            until(lambda: counted in stack.page("/metrics")[1], "all answers are counted")
            report = stack.page("/monitor.json")[1]
            page = stack.page("/metrics")[1]

    assert report["windows"]["1m"]["answers"] == 40
    assert "rec_generation 1.0" in page
    assert [(live["value"], live["verdict"]) for live in report["windows"]["1m"]["objectives"]] == [(1, "OK")]


def test_a_body_is_measured_even_if_its_length_is_not_told(tmp_path) -> None:
    with running_stack(tmp_path) as stack:
        publish(stack.client, stack.keys)
        with stack.gateway():
            connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=20)
            chunks = (b"x" * 1000 for _ in range(100))
            headers = {"Content-Type": "application/json"}
            with contextlib.suppress(BrokenPipeError):  # it may have answered before all was sent
                connection.request("POST", "/recommend", chunks, headers, encode_chunked=True)
            answer = connection.getresponse()

            assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")
            connection.close()
            assert stack.ask()[0] == 200


def test_bytes_that_are_no_http_end_only_their_connection(tmp_path) -> None:
    with running_stack(tmp_path) as stack:
        publish(stack.client, stack.keys)
        with stack.gateway():
            for garbage in (b"\x00\xff\xfe garbage\r\n\r\n", b"GET /recommend?x=%00%ff%zz HTTP/1.1\r\nHost: a\r\n\r\n"):
                with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as connection:
                    connection.sendall(garbage)
                    assert b"Traceback" not in connection.recv(65536)
            assert stack.ask()[0] == 200


def test_settings_that_cannot_hold_together_end_it_with_one_line(tmp_path) -> None:
    settings = {"PACE_REDIS__TIMEOUT_SECONDS": "1", "PACE_GATEWAY__MIN_TIMEOUT_MS": "50"}

    ended = subprocess.run(
        [sys.executable, "-m", "online.gateway"], env={**os.environ, **settings}, capture_output=True, text=True
    )

    assert ended.returncode == 2
    assert "PACE_GATEWAY__MIN_TIMEOUT_MS (50) must exceed" in ended.stderr
    assert "Traceback" not in ended.stderr
