"""What is refused is refused as a problem that names the field; nothing of the inside is shown."""

import json

import pytest

from tests.online.toy import publish


@pytest.fixture
def gateway(client, keys, settings, start_gateway):
    publish(client, keys)
    return start_gateway(settings(gateway={"max_context_items": 3, "max_exclude": 3}))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("n=0", "n"),
        ("n=101", "n"),
        ("n=ten", "n"),
        ("n=1&n=2", "n"),
        ("user_id=", "user_id"),
        (f"user_id={'x' * 513}", "user_id"),
        (f"user_id={'%C3%A9' * 300}", "user_id"),  # 300 characters, 600 bytes
        ("item_ids=a&item_ids=b&item_ids=c&item_ids=d", "item_ids"),
        ("item_ids=a&item_ids=", "item_ids.1"),
        ("exclude=a&exclude=b&exclude=c&exclude=d", "exclude"),
        ("timeout_ms=1", "timeout_ms"),
        ("timeout_ms=1e9", "timeout_ms"),
        ("timeout_ms=nan", "timeout_ms"),
        ("filter.price_min=-1", "filter.price_min"),
        ("filter.price_max=inf", "filter.price_max"),
        ("filter.price_min=2&filter.price_max=1", "filter"),
        ("filter.colour=red", "filter.colour"),
        ("filter=red", "filter"),
        ("explain=perhaps", "explain"),
        ("usr_id=ann", "usr_id"),
        ("user_id=%ff%fe", "user_id"),
    ],
)
def test_a_parameter_that_does_not_hold_is_named(gateway, query, field) -> None:
    response = gateway.get(f"/recommend?{query}")

    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert [error["field"] for error in response.json["errors"]] == [field]
    assert response.json["status"] == 400
    assert field in response.json["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b"[" * 10_000, "body"),
        (b'{"user_id": "\\ud800"}', "body"),
        (b'{"user_id": 5}', "user_id"),
        (b'{"n": "5"}', "n"),
        (b'{"n": 1e400}', "n"),
        (b'{"n": 5.5}', "n"),
        (b'{"timeout_ms": NaN}', "timeout_ms"),
        (b'{"item_ids": "cup"}', "item_ids"),
        (b'{"item_ids": ["cup", null]}', "item_ids.1"),
        (b'{"filter": {"price_min": "cheap"}}', "filter.price_min"),
        (b'{"filter": null}', "filter"),
        (b'{"explain": 1}', "explain"),
        (b'{"user": "ann"}', "user"),
    ],
)
def test_a_body_that_does_not_hold_is_named(gateway, body, field) -> None:
    response = gateway.post("/recommend", data=body, content_type="application/json")

    assert response.status_code == 400
    assert response.content_type == "application/problem+json"
    assert [error["field"] for error in response.json["errors"]] == [field]


def test_every_wrong_field_is_named_at_once(gateway) -> None:
    errors = gateway.get("/recommend?n=0&user_id=&bad=1").json["errors"]

    assert {error["field"] for error in errors} == {"n", "user_id", "bad"}


def test_a_refusal_does_not_send_back_what_it_got(gateway) -> None:
    response = gateway.get(f"/recommend?{'k' * 5000}={'v' * 5000}")

    assert response.status_code == 400
    assert len(response.data) < 1000


def test_a_body_over_the_limit_is_413(gateway) -> None:
    body = json.dumps({"user_id": "ann", "exclude": ["x" * 70_000]})

    response = gateway.post("/recommend", data=body, content_type="application/json")

    assert response.status_code == 413
    assert response.content_type == "application/problem+json"
    assert response.json["detail"] == "body: has more than 65536 bytes"
    assert response.json["errors"] == [{"field": "body", "detail": "has more than 65536 bytes"}]


def test_a_body_that_is_not_json_is_415(gateway) -> None:
    response = gateway.post("/recommend", data="user_id=ann", content_type="application/x-www-form-urlencoded")

    assert (response.status_code, response.content_type) == (415, "application/problem+json")


def test_an_unknown_page_and_a_wrong_method_are_problems(gateway) -> None:
    missing, wrong = gateway.get("/nowhere"), gateway.delete("/recommend")

    assert (missing.status_code, missing.content_type) == (404, "application/problem+json")
    assert (wrong.status_code, wrong.content_type) == (405, "application/problem+json")
    assert "GET" in wrong.headers["Allow"]


@pytest.mark.parametrize("asked", [("GET", "/nowhere"), ("DELETE", "/recommend"), ("GET", "/recommend?n=0")])
def test_every_problem_names_its_trace(gateway, asked) -> None:
    method, path = asked
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    theirs = gateway.open(path, method=method, headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    one, other = (gateway.open(path, method=method) for _ in range(2))

    assert theirs.json["trace_id"] == theirs.headers["X-Trace-Id"] == trace
    assert one.json["trace_id"] == one.headers["X-Trace-Id"] != other.json["trace_id"]
    assert len(bytes.fromhex(one.json["trace_id"])) == 16


def test_an_unforeseen_error_shows_nothing_of_the_inside(gateway, caplog) -> None:
    def breaks() -> None:
        raise RuntimeError("secret inside")

    gateway.application.view_functions["machines.healthz"] = breaks

    response = gateway.get("/healthz")

    assert response.status_code == 500
    assert response.content_type == "application/problem+json"
    assert b"secret" not in response.data
    assert b"Traceback" not in response.data
    assert "secret inside" in caplog.text  # the log has it


def test_refusals_are_counted_apart_from_errors(gateway) -> None:
    gateway.get("/recommend?n=0")

    page = gateway.get("/metrics").text
    assert 'rec_request_duration_seconds_count{level="none",outcome="refused",route="/recommend"} 1.0' in page
    assert 'outcome="error"' not in page
