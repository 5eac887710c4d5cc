"""Errors as application/problem+json (RFC 9457). No stack trace, and nothing of the request but field names."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from wsgiref.types import WSGIEnvironment

import msgspec
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from online.gateway.random_ids import random_id
from online.gateway.telemetry.trace import TRACE_ID, trace_of

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 10
_MAX_FIELD = 100


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field; `field` is a dotted path, or `body`."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every answer that is not a success; `trace_id` is what logs and traces know the request by."""

    type: str
    title: str
    status: int
    detail: str
    trace_id: str
    errors: tuple[FieldError, ...] = ()


class ProblemError(Exception):
    """Ends a request with this problem."""

    def __init__(self, status: int, kind: str, detail: str, errors: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.errors = tuple(FieldError(_shown(field), text) for field, text in errors[:MAX_ERRORS])


class InvalidRequest(ProblemError):
    """400: parameters that do not hold, as (field, what is wrong) pairs."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        named = "; ".join(f"{_shown(field)}: {text}" for field, text in errors[:MAX_ERRORS])
        super().__init__(400, "invalid-request", named, errors)


class BodyTooLarge(ProblemError):
    """413: a body of more than `most` bytes."""

    def __init__(self, most: int) -> None:
        text = f"has more than {most} bytes"
        super().__init__(413, "request-entity-too-large", f"body: {text}", [("body", text)])


class NothingToServe(ProblemError):
    """503: no generation has been seen since the start, so there is nothing to fall back to."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, "nothing-to-serve", detail)


def problem_response(error: ProblemError, trace_id: str) -> Response:
    body = Problem(
        f"urn:pacesetter:{error.kind}",
        HTTPStatus(error.status).phrase,
        error.status,
        str(error),
        trace_id,
        error.errors,
    )
    headers = {TRACE_ID: trace_id}
    response = Response(msgspec.json.encode(body), error.status, headers, content_type=MEDIA_TYPE)
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "1"
    return response


def as_problem(error: Exception, trace_id: str) -> Response:
    """Any exception as a problem; one that nobody foresaw is logged and answered with a bare 500."""
    if isinstance(error, ProblemError):
        return problem_response(error, trace_id)
    if isinstance(error, HTTPException) and error.code is not None and error.code >= 400:
        kind = HTTPStatus(error.code).phrase.lower().replace(" ", "-")
        response = problem_response(ProblemError(error.code, kind, error.description or kind), trace_id)
        kept: Any = [pair for pair in error.get_headers() if pair[0].lower() in ("allow", "retry-after")]
        response.headers.extend(kept)
        return response
    if isinstance(error, HTTPException):  # a redirect
        return Response(status=error.code, headers=error.get_headers())
    log.exception("unforeseen error, trace %s", trace_id, exc_info=error, extra={"trace_id": trace_id})
    return problem_response(ProblemError(500, "internal", "the server met an error; it has been logged"), trace_id)


def problem_of(error: Exception, environ: WSGIEnvironment) -> Response:
    """Of what came to no route, or to one that keeps no trace."""
    return as_problem(error, trace_of(environ.get("HTTP_TRACEPARENT"), random_id).trace_id)


def answer_with_problems(app: Flask) -> None:
    """Every error of the app leaves as a problem."""
    app.register_error_handler(Exception, lambda error: problem_of(error, request.environ))


def _shown(field: str) -> str:
    return field if len(field) <= _MAX_FIELD else f"{field[:_MAX_FIELD]}..."
