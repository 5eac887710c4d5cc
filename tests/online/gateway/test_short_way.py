"""A request to the hot path gets the same answer by the short way as by Flask's own."""

import io
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

import hypothesis
import pytest
from flask import Flask, Response
from hypothesis import HealthCheck, assume, given
from hypothesis import strategies as st
from pydantic import BaseModel
from werkzeug.test import EnvironBuilder

from contract.settings import Gateway
from online.gateway.problems import InvalidRequest, answer_with_problems
from online.gateway.query import bounded_request, from_query
from online.gateway.recommend import JsonAnswer
from online.gateway.short_way import ShortWayFlask
from tests.online.toy import publish

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
JSON = "application/json"
CHANGING = re.compile(rb'"(recommendation_id|took_ms|timing_ms)":("[0-9a-f]{32}"|[0-9.e-]+|\{[^}]*\})')

# Parameters that hold, some that do not, and what parsers disagree on.
PIECES = [b"user_id", b"item_id", b"item_ids", b"n", b"filter.price_max", b"explain", b"ann", b"cup", b"2", b"true"]
PIECES += [b"=", b"&", b"=", b"&", b"=", b"&", b"+", b"%", b";", b".", b"%3D", b"%26", b"%2B", b"%00"]
PIECES += [b"%C3%A9", b"%C3", b"%ff", "é".encode(), b"\xe9", "日".encode()]
QUERIES = st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "get", "post", "OPTIONS", "DELETE", "PUT"])
BODIES = st.sampled_from([b"", b"{", b"{}", b'{"user_id":"ann"}', b'{"n":0}', b"\xff", b" " * 65_537, b"[" * 9999])
KINDS = st.sampled_from(["", JSON, "application/x+json; charset=utf-8", "text/plain", 'application/json;a="', ";"])

Ask = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


def environment(
    method: str, query: bytes = b"", body: bytes = b"", kind: str = "", **variables: Any
) -> WSGIEnvironment:
    built = EnvironBuilder("/recommend", method=method, input_stream=io.BytesIO(body)).get_environ()
    told = {
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input_terminated": True,
        "REQUEST_METHOD": method,
    }
    trace = {"HTTP_TRACEPARENT": f"00-{TRACE}-00f067aa0ba902b7-01"}
    return {**built, **told, **trace, "QUERY_STRING": query.decode("latin1"), **variables}


def asked(ask: Ask, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and body, but for what differs from one request to the next."""
    told: list[Any] = []
    answer = ask(environ, lambda status, headers, error=None: told.extend((status, headers)))
    body = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    status, headers = told
    length = int(dict(headers)["Content-Length"])
    assert len(body) == (0 if environ["REQUEST_METHOD"] == "HEAD" else length)
    if status == "200 OK":  # its times have as many digits as they have
        headers = [(name, "" if name == "Content-Length" else value) for name, value in headers]
    # A set of methods has no order.
    headers = [(name, sorted(value.split(", ")) if name == "Allow" else value) for name, value in headers]
    return status, headers, CHANGING.sub(rb"\1", body)


def require_same(app: Flask, made: Callable[[], WSGIEnvironment]) -> str:
    short = asked(app.wsgi_app, made())
    assert short == asked(lambda *of: Flask.wsgi_app(app, *of), made())
    return short[0]


@pytest.fixture
def gateway(client, keys, settings, start_gateway):
    publish(client, keys)
    return start_gateway(settings(log={"requests": "none"}))


@pytest.mark.parametrize(
    ("status", "of"),
    [
        ("200 OK", {"method": "GET", "query": b"user_id=ann&item_id=cup&n=2&explain=true"}),
        ("200 OK", {"method": "HEAD", "query": b"user_id=ann"}),
        ("200 OK", {"method": "get", "query": b"user_id=ann"}),
        ("200 OK", {"method": "head", "query": b"user_id=ann"}),
        ("200 OK", {"method": "GET", "HTTP_HOST": "not a host@", "SERVER_PORT": "0"}),
        ("200 OK", {"method": "GET", "HTTP_TRACEPARENT": f"00-{TRACE}-00f067aa0ba902b7-00", "body": b"of a GET"}),
        ("200 OK", {"method": "POST", "body": b'{"user_id": "ann"}', "kind": JSON}),
        ("200 OK", {"method": "POST", "body": b'{"user_id": "ann"}'}),
        ("200 OK", {"method": "POST", "body": b"{}", "kind": JSON, "CONTENT_LENGTH": "", "SCRIPT_NAME": "/below"}),
        ("200 OK", {"method": "OPTIONS"}),
        ("400 BAD REQUEST", {"method": "HEAD", "query": b"n=0"}),
        ("400 BAD REQUEST", {"method": "GET", "query": b"user_id=%ff&n=0"}),
        ("400 BAD REQUEST", {"method": "post", "body": b'{"n": 0}', "kind": JSON}),
        ("400 BAD REQUEST", {"method": "GET", "HTTP_CONNECTION": "upgrade", "HTTP_UPGRADE": "websocket"}),
        ("400 BAD REQUEST", {"method": "POST", "query": b"n=2", "body": b"{}", "kind": JSON}),
        ("400 BAD REQUEST", {"method": "POST", "body": b"", "CONTENT_LENGTH": "17"}),  # the caller is gone
        ("405 METHOD NOT ALLOWED", {"method": "DELETE", "query": b"user_id=ann"}),
        ("413 REQUEST ENTITY TOO LARGE", {"method": "POST", "body": b" " * 65_537, "kind": JSON}),
        (
            "413 REQUEST ENTITY TOO LARGE",
            {"method": "POST", "body": b" " * 65_536, "kind": JSON, "HTTP_TRANSFER_ENCODING": "chunked"},
        ),
        ("415 UNSUPPORTED MEDIA TYPE", {"method": "POST", "body": b"{}", "kind": "text/plain"}),
    ],
)
def test_both_ways_answer_the_same(gateway, status, of) -> None:
    assert require_same(gateway.application, lambda: environment(**of)) == status


def test_both_ways_answer_the_same_to_whatever_is_sent(gateway) -> None:
    @hypothesis.settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(METHODS, QUERIES, BODIES, KINDS, st.booleans())
    def same(method: str, query: bytes, body: bytes, kind: str, chunked: bool) -> None:
        variables = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {}
        require_same(gateway.application, lambda: environment(method, query, body, kind, **variables))

    same()


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_an_answer_is_sent_as_flask_sends_one(method) -> None:
    flasks = Response(b'{"items": []}', 200, {"X-Trace-Id": TRACE}, content_type=JSON)
    assert asked(JsonAnswer(b'{"items": []}', TRACE), environment(method)) == asked(flasks, environment(method))


@given(QUERIES)
def test_a_query_is_read_as_forms_are(query: bytes) -> None:
    class Anything(BaseModel, extra="allow"):
        pass

    try:
        expected = parse_qs(query.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        with pytest.raises(InvalidRequest, match="is not UTF-8"):
            from_query(Anything, query)
        return
    lists = {"item_ids", "exclude"}
    assume(all(len(values) == 1 or name in lists for name, values in expected.items()))
    assume(not any(name.startswith("filter") for name in expected))
    read = from_query(Anything, query)
    assert read.model_extra == {name: found if name in lists else found[0] for name, found in expected.items()}


@pytest.mark.parametrize("query", [b"user_id=%C3\xa9", b"user_id=\xff", b"user_id=%ED%A0%80"])
def test_bytes_that_are_no_utf8_are_refused_however_they_are_sent(query) -> None:
    with pytest.raises(InvalidRequest, match="user_id: is not UTF-8"):
        from_query(bounded_request(Gateway()), query)


def two_ways(answer: Callable[..., Any]) -> Flask:
    """An app whose short way answers by `answer`, and the ordinary one with the word."""
    app = ShortWayFlask("two_ways", "/hot", answer)
    app.add_url_rule("/hot", "hot", lambda: "ordinary")
    app.add_url_rule("/cold", "cold", lambda: "ordinary")
    answer_with_problems(app)
    return app


def short(environ: WSGIEnvironment) -> Ask:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        return [b"short"]

    return answer


@pytest.mark.parametrize(
    ("request_", "way"),
    [
        ({"path": "/hot?a=b", "method": "GET"}, "short"),
        ({"path": "/hot", "method": "HEAD"}, "short"),
        ({"path": "/hot", "method": "POST"}, "short"),
        ({"path": "/hot", "method": "get"}, "ordinary"),
        ({"path": "/hot", "method": "GET", "headers": {"Upgrade": "h2c"}}, "ordinary"),
        ({"path": "/hot", "method": "OPTIONS"}, ""),
        ({"path": "/cold", "method": "GET"}, "ordinary"),
    ],
)
def test_what_is_plainly_for_the_hot_path_goes_the_short_way(request_, way) -> None:
    environ = EnvironBuilder(**request_).get_environ()
    answer = two_ways(short).wsgi_app(environ, lambda status, headers, error=None: None)
    assert b"".join(answer).decode() == way


def test_what_the_short_way_does_not_foresee_is_a_problem_and_logged(caplog) -> None:
    def breaks(environ: WSGIEnvironment) -> Ask:
        raise RuntimeError("secret inside")

    response = two_ways(breaks).test_client().get("/hot", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})

    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert response.json["trace_id"] == response.headers["X-Trace-Id"] == TRACE
    assert b"secret" not in response.data
    assert "secret inside" in caplog.text
    assert f"trace {TRACE}" in caplog.text


def test_the_app_has_no_hooks_that_the_short_way_would_pass_over(gateway) -> None:
    app = gateway.application
    by_blueprint = (
        app.before_request_funcs,
        app.after_request_funcs,
        app.teardown_request_funcs,
        app.url_value_preprocessors,
    )
    assert not any(hooks.get(name) for hooks in by_blueprint for name in (None, "recommend"))
    assert not app.teardown_appcontext_funcs
    assert app.config["TRUSTED_HOSTS"] is None
