"""The OpenAPI 3.1 document, made from the very types that read requests and write answers.

flask-openapi3 4.3 would make it too, and takes every request into its hands for it: 620 us of CPU for a call that
does nothing, against 87 us for Flask with the model of query.py.
"""

from typing import Any

import msgspec
from pydantic import BaseModel

from online.gateway.answers import RecommendAnswer
from online.gateway.machines import Alive, Readiness
from online.gateway.problems import MEDIA_TYPE, Problem
from online.gateway.query import Filter
from online.gateway.telemetry.trace import TRACE_ID

_REF = "#/components/schemas/{}"
_TRACEPARENT = {
    "name": "traceparent",
    "in": "header",
    "required": False,
    "description": "W3C trace context: the request becomes part of the caller's trace",
    "schema": {"type": "string"},
}


def openapi_document(request: type[BaseModel], version: str) -> dict[str, Any]:
    """`request`: the bounded request model, so that the settings' limits stand in the document."""
    asked = request.model_json_schema(ref_template=_REF.format("{model}"))
    parts = asked.pop("$defs", {})
    (answer, problem, alive, readiness), components = msgspec.json.schema_components(
        [RecommendAnswer, Problem, Alive, Readiness], ref_template=_REF.format("{name}")
    )
    # An answer's items travel as JSON made before (msgspec.Raw), which a schema cannot tell from anything.
    components["RecommendAnswer"]["properties"]["items"] = {
        "type": "array",
        "items": {"$ref": _REF.format("SlateItem")},
    }
    traced = {"headers": {TRACE_ID: {"description": "What logs and traces know it by", "schema": {"type": "string"}}}}
    problems: dict[str, dict[str, Any]] = {
        code: {"description": text, **traced, "content": {MEDIA_TYPE: {"schema": problem}}}
        for code, text in {
            "400": "A parameter does not hold; `errors` names the fields",
            "413": "The body is larger than the settings allow",
            "415": "The body is not JSON",
            "500": "An unforeseen error; it is logged, not shown",
            "503": "No generation has been seen since the start",
        }.items()
    }
    # The HTTP server itself refuses a URL over 64 KiB, before the app: longer lists go into a POST.
    problems["414"] = {"description": "The URL is longer than 64 KiB; no body"}
    answers = {"200": {"description": "A slate", **traced, **_json(answer)}, **problems}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pacesetter", "version": version, "description": "Recommendations with a latency promise."},
        "paths": {
            "/recommend": {
                "get": {
                    "operationId": "recommend",
                    "summary": "A slate for a user, a context item, or a basket",
                    "parameters": [*_parameters(asked), _TRACEPARENT],
                    "responses": {code: answers[code] for code in answers if code not in ("413", "415")},
                },
                "post": {
                    "operationId": "recommendFromBody",
                    "summary": "The same, with the parameters as a JSON object",
                    "parameters": [_TRACEPARENT],
                    "requestBody": {"required": True, **_json({"$ref": _REF.format("RecommendRequest")})},
                    "responses": answers,
                },
            },
            "/monitor.json": _page("monitor", "Stages, levels and bottleneck of the last minutes", {"type": "object"}),
            "/healthz": _page("healthz", "The process lives", alive),
            "/readyz": _page("readyz", "Redis answers and a generation is live", readiness, also="503"),
            "/metrics": {
                "get": {
                    "operationId": "metrics",
                    "summary": "Prometheus metrics",
                    "responses": {
                        "200": {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}
                    },
                }
            },
            "/openapi.json": _page("openapi", "This document", {"type": "object"}),
        },
        "components": {"schemas": {**components, **parts, "RecommendRequest": asked}},
    }


def _parameters(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """A query string's parameters: lists by repetition, the filter's fields with a dot."""
    fields = {name: schema for name, schema in asked["properties"].items() if name != "filter"}
    fields |= {f"filter.{name}": schema for name, schema in Filter.model_json_schema()["properties"].items()}
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.get("description", ""),
            "style": "form",
            "explode": True,
            "schema": _without_null(schema),
        }
        for name, schema in fields.items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """In a query string there is no null: a parameter is left out."""
    kept = {key: value for key, value in schema.items() if key not in ("description", "title")}
    options = [option for option in kept.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        del kept["anyOf"]
        kept |= options[0]
    if kept.get("default", 0) is None:
        del kept["default"]
    return kept


def _page(operation: str, summary: str, schema: dict[str, Any], also: str | None = None) -> dict[str, Any]:
    codes = ["200", *([also] if also else [])]
    responses = {code: {"description": summary if code == "200" else "Not so", **_json(schema)} for code in codes}
    return {"get": {"operationId": operation, "summary": summary, "responses": responses}}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
