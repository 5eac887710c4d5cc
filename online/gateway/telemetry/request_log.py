"""A line of JSON for each request: how it was answered, and where its time went. Never who asked for what.

Not by way of `logging`, whose records cost five times what is in them: 26 us of CPU a request beside 5.
"""

import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from select import PIPE_BUF
from typing import Literal

import msgspec

from online.gateway.stages import TimingMs
from online.gateway.telemetry.finished import Finished

Wanted = Literal["all", "degraded", "none"]
_STANDARD_ERROR = 2


class RequestLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `Finished` says. A request without an answer has no `level`, and none of what follows it."""

    time: datetime
    trace_id: str
    route: str
    method: str
    outcome: str
    status: int
    timing_ms: TimingMs
    level: str | None = None
    degraded: str | None = None
    cached: bool | None = None
    generation: int | None = None
    model_version: str | None = None


def to_standard_error(lines: bytes) -> None:
    """In one call of the system, so that lines of several workers do not mix. Where the process was started without
    a standard error its number belongs to something else: then nowhere."""
    rest = memoryview(lines if sys.__stderr__ is not None else b"")
    while rest:
        rest = rest[os.write(_STANDARD_ERROR, rest) :]


class RequestLog:
    """`degraded` leaves out answers at the best level."""

    def __init__(self, wanted: Wanted, write: Callable[[bytes], None] = to_standard_error) -> None:
        self._wanted, self._write = wanted, write

    def tell(self, finished: Sequence[Finished]) -> None:
        """As many lines at a time as a pipe takes whole."""
        held = b""
        for done in finished:
            if self._wanted == "all" or (self._wanted == "degraded" and (done.degraded or done.outcome != "ok")):
                line = _line(done)
                if len(held) + len(line) > PIPE_BUF and held:
                    self._write(held)
                    held = b""
                held += line
        if held:
            self._write(held)


def _line(done: Finished) -> bytes:
    return (
        _encode(
            RequestLine(
                datetime.fromtimestamp(done.at, UTC),
                done.trace.trace_id,
                done.route,
                done.method,
                done.outcome,
                done.status,
                done.timing,
                done.level,
                done.degraded,
                done.cached,
                done.generation,
                done.model_version,
            )
        )
        + b"\n"
    )


_encode = msgspec.json.Encoder().encode
