"""Routes for machines: /metrics, /healthz, /readyz, /openapi.json."""

from typing import Any

import msgspec
from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from online.gateway.metrics import GatewayMetrics
from online.gateway.standby import Pulse


class Alive(msgspec.Struct, frozen=True):
    alive: bool


class Readiness(msgspec.Struct, frozen=True):
    """Ready: Redis answers and a generation is live. Without a ranker answers fall back, so it does not count."""

    ready: bool
    store: str
    generation: int | None
    model_version: str | None
    ranker: str


def machines_blueprint(metrics: GatewayMetrics, pulse: Pulse, document: dict[str, Any]) -> Blueprint:
    blueprint = Blueprint("machines", __name__)
    openapi = msgspec.json.encode(document)

    @blueprint.get("/metrics")
    def metrics_page() -> Response:
        return Response(metrics.page(), content_type=CONTENT_TYPE_LATEST)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _json(Alive(True))

    @blueprint.get("/readyz")
    def readyz() -> Response:
        standby = pulse.standby
        ready = pulse.store == "ok" and standby is not None
        pointer = standby.pointer if standby is not None else None
        body = Readiness(
            ready,
            pulse.store,
            pointer.generation if pointer else None,
            (pointer.model or None) if pointer else None,
            pulse.ranker,
        )
        return _json(body, 200 if ready else 503)

    @blueprint.get("/openapi.json")
    def openapi_json() -> Response:
        return Response(openapi, content_type="application/json")

    return blueprint


def _json(body: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json")
