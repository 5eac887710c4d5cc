"""`GET` and `POST /recommend`."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from contract.store.impressions import Impression
from online.gateway.answers import Slate, answer_body, untimed_body
from online.gateway.impressions import ImpressionQueue
from online.gateway.problems import ProblemError, as_problem
from online.gateway.query import RecommendRequest, check_utf8, from_body, from_parameters
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
    """What a call needs, wired once."""

    model: type[RecommendRequest]
    recommender: Recommender
    impressions: ImpressionQueue
    telemetry: Telemetry
    default_timeout_ms: float
    wall_clock: Callable[[], float] = time.time

    def answer(self) -> Response:
        recommendation_id = random_id()
        trace = trace_of(request.environ.get("HTTP_TRACEPARENT"), random_id)
        clock = RequestClock(self.default_timeout_ms / 1000, trace.trace_id)
        try:
            asked = self._read()
            if asked.timeout_ms is not None:
                clock.budget_seconds = asked.timeout_ms / 1000
            clock.lap("parse")
            slate, cached = self.recommender.recommend(asked, clock)
        except Exception as error:
            return self._problem(error, trace, clock)
        self._log_impression(recommendation_id, asked, slate)
        untimed = untimed_body(slate, recommendation_id, trace.trace_id, cached)
        clock.lap("serialize")
        timing = clock.timing()
        self.telemetry.note(
            Finished(
                self.wall_clock(),
                ROUTE,
                request.method,
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
        return Response(answer_body(untimed, timing), 200, {TRACE_ID: trace.trace_id}, content_type=JSON)

    def _problem(self, error: Exception, trace: Trace, clock: RequestClock) -> Response:
        """What is left of its time goes to the reading of the request: that is where nearly all of them end."""
        clock.lap("parse")
        response = as_problem(error, trace.trace_id)
        outcome = "refused" if response.status_code < 500 else "error"
        self.telemetry.note(
            Finished(
                self.wall_clock(),
                ROUTE,
                request.method,
                trace,
                outcome,
                response.status_code,
                clock.timing(),
                clock.parts,
                clock.ends,
            )
        )
        return response

    def _read(self) -> RecommendRequest:
        if request.method == "POST":
            kind = request.mimetype
            if kind and kind != JSON and not kind.endswith("+json"):
                raise ProblemError(415, "unsupported-media-type", f"send {JSON}", [("Content-Type", f"is not {JSON}")])
            if request.query_string:
                raise ProblemError(400, "invalid-request", "a POST takes its parameters in the body, not in the URL")
            return from_body(self.model, _body())
        check_utf8(request.query_string)
        return from_parameters(self.model, request.args.lists())

    def _log_impression(self, recommendation_id: str, asked: RecommendRequest, slate: Slate) -> None:
        if slate.item_ids and request.method != "HEAD":  # which shows it to nobody
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


def _body() -> bytes:
    """The body, at most as long as the settings allow.

    Werkzeug refuses a length that is told; of a chunked body it reads as much as is allowed and says nothing.
    """
    body = request.get_data(cache=False)
    limit = request.max_content_length
    if request.content_length is None and limit is not None and len(body) >= limit:
        raise RequestEntityTooLarge
    return body


def recommend_blueprint(call: RecommendCall) -> Blueprint:
    blueprint = Blueprint("recommend", __name__)
    blueprint.add_url_rule(ROUTE, view_func=call.answer, methods=["GET", "POST"])
    return blueprint
