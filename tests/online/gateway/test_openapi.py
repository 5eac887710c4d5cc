"""The OpenAPI document is valid, and answers are what it says."""

import json

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.online.toy import publish


@pytest.fixture
def gateway(client, keys, settings, start_gateway):
    publish(client, keys)
    return start_gateway(settings(gateway={"max_n": 7}))


@pytest.fixture
def document(gateway):
    return gateway.get("/openapi.json").json


def validator(document, name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def test_the_document_is_valid_openapi(document) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")


def test_every_route_but_the_page_for_people_is_in_it(gateway, document) -> None:
    rules = gateway.application.url_map.iter_rules()
    routes = {rule.rule for rule in rules if not rule.endpoint.startswith("monitor_page.")}

    assert routes == set(document["paths"])


def test_the_limits_of_the_settings_stand_in_it(document) -> None:
    assert document["components"]["schemas"]["RecommendRequest"]["properties"]["n"]["maximum"] == 7
    (n,) = [one for one in document["paths"]["/recommend"]["get"]["parameters"] if one["name"] == "n"]
    assert n["schema"] == {"type": "integer", "minimum": 1, "maximum": 7, "default": 7}


@pytest.mark.parametrize("query", ["user_id=ann&explain=1", "user_id=stranger", "filter.categories=none"])
def test_an_answer_is_what_it_says(gateway, document, query) -> None:
    answer = gateway.get(f"/recommend?{query}").json

    validator(document, "RecommendAnswer").validate(answer)
    assert not list(validator(document, "RecommendAnswer").iter_errors(answer))
    assert list(validator(document, "RecommendAnswer").iter_errors({**answer, "items": [{"item_id": 5}]}))


def test_a_refusal_is_what_it_says(gateway, document) -> None:
    validator(document, "Problem").validate(gateway.get("/recommend?n=0").json)
    validator(document, "Readiness").validate(gateway.get("/readyz").json)


def test_what_the_request_schema_allows_is_taken_and_what_it_forbids_is_refused(gateway, document) -> None:
    schema = validator(document, "RecommendRequest")
    bodies = (
        {},
        {"user_id": "ann", "item_ids": ["cup"], "n": 3, "filter": {"categories": ["light"], "price_max": 9}},
        {"n": 8},
        {"n": 3.0},
        {"n": 3.5},
        {"n": "3"},
        {"user_id": ""},
        {"other": 1},
        {"filter": {"price_min": -1}},
        {"timeout_ms": None},
    )
    for body in bodies:
        taken = gateway.post("/recommend", data=json.dumps(body), content_type="application/json").status_code == 200

        assert taken == schema.is_valid(body), body
