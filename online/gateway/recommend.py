"""`GET` and `POST /recommend`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Blueprint, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request

from contract.store.impressions import Impression
from online.gateway.answers import Slate, answer_body, untimed_body
from online.gateway.impressions import ImpressionQueue
from online.gateway.problems import BodyTooLarge, ProblemError, as_problem
from online.gateway.query import RecommendRequest, from_body, from_query
from online.gateway.random_ids import random_id
from online.gateway.recommender import Recommender
from online.gateway.stages import RequestClock
from online.gateway.telemetry.finished import Finished
from online.gateway.telemetry.telemetry import Telemetry
from online.gateway.telemetry.trace import TRACE_ID, Trace, trace_of

ROUTE = "/recommend"
JSON = "application/json"


@dataclass(frozen=True)
class RecommendCall:
    """What a call needs, wired once. It reads WSGI, and knows nothing of Flask's request, so that it can be asked with
    and without it (online/gateway/short_way.py)."""

    model: type[RecommendRequest]
    recommender: Recommender
    impressions: ImpressionQueue
    telemetry: Telemetry
    default_timeout_ms: float
    max_body_bytes: int
    wall_clock: Callable[[], float] = time.time

    def answer(self, environ: WSGIEnvironment) -> WSGIApplication:
        recommendation_id = random_id()
        method = environ["REQUEST_METHOD"].upper()
        trace = trace_of(environ.get("HTTP_TRACEPARENT"), random_id)
        clock = RequestClock(self.default_timeout_ms / 1000, trace.trace_id)
        try:
            asked = self._read(environ, method)
            if asked.timeout_ms is not None:
                clock.budget_seconds = asked.timeout_ms / 1000
            clock.lap("parse")
            slate, cached = self.recommender.recommend(asked, clock)
        except Exception as error:
            return self._problem(error, method, trace, clock)
        if method != "HEAD":  # which shows it to nobody
            self._log_impression(recommendation_id, asked, slate)
        untimed = untimed_body(slate, recommendation_id, trace.trace_id, cached)
        clock.lap("serialize")
        timing = clock.timing()
        self.telemetry.note(
            Finished(
                self.wall_clock(),
                ROUTE,
                method,
                trace,
                "ok",
                200,
                timing,
                clock.parts,
                clock.ends,
                slate.level,
                slate.degraded,
                cached,
                slate.generation,
                slate.model_version or None,
            )
        )
        return JsonAnswer(answer_body(untimed, timing), trace.trace_id)

    def _problem(self, error: Exception, method: str, trace: Trace, clock: RequestClock) -> WSGIApplication:
        """What is left of its time goes to the reading of the request: that is where nearly all of them end."""
        clock.lap("parse")
        response = as_problem(error, trace.trace_id)
        outcome = "refused" if response.status_code < 500 else "error"
        self.telemetry.note(
            Finished(
                self.wall_clock(),
                ROUTE,
                method,
                trace,
                outcome,
                response.status_code,
                clock.timing(),
                clock.parts,
                clock.ends,
            )
        )
        return response

    def _read(self, environ: WSGIEnvironment, method: str) -> RecommendRequest:
        query = environ.get("QUERY_STRING", "").encode("latin1")  # as WSGI has it
        if method != "POST":
            return from_query(self.model, query)
        request = Request(environ, populate_request=False)
        kind = request.mimetype
        if kind and kind != JSON and not kind.endswith("+json"):
            raise ProblemError(415, "unsupported-media-type", f"send {JSON}", [("Content-Type", f"is not {JSON}")])
        if query:
            raise ProblemError(400, "invalid-request", "a POST takes its parameters in the body, not in the URL")
        return from_body(self.model, _body(request, self.max_body_bytes))

    def _log_impression(self, recommendation_id: str, asked: RecommendRequest, slate: Slate) -> None:
        if slate.item_ids:
            self.impressions.offer(
                Impression(
                    recommendation_id,
                    self.wall_clock(),
                    asked.user_id,
                    asked.session_id,
                    slate.item_ids,
                    slate.generation,
                    slate.model_version,
                    slate.level,
                )
            )


class JsonAnswer:
    """A 200 as a WSGI application: what Flask's Response would send, by one object instead of a dozen."""

    __slots__ = ("_body", "_trace_id")

    def __init__(self, body: bytes, trace_id: str) -> None:
        self._body = body
        self._trace_id = trace_id

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        headers = [(TRACE_ID, self._trace_id), ("Content-Type", JSON), ("Content-Length", str(len(self._body)))]
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self._body]


def _body(request: Request, most: int) -> bytes:
    """The body. Raises BodyTooLarge.

    Werkzeug refuses a length that is told; of a chunked body it reads as much as is allowed and says nothing.
    """
    request.max_content_length = most
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise BodyTooLarge(most) from None
    if request.content_length is None and len(body) >= most:
        raise BodyTooLarge(most)
    return body


def recommend_blueprint(call: RecommendCall) -> Blueprint:
    blueprint = Blueprint("recommend", __name__)

    @blueprint.route(ROUTE, methods=["GET", "POST"])
    def answer() -> WSGIApplication:
        return call.answer(request.environ)

    return blueprint
