"""A line of JSON for each request: how it was answered, and where its time went. Never who asked for what.

Not by way of `logging`, whose records cost five times what is in them: 26 us of CPU a request beside 5.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import msgspec

from online.gateway.stages import TimingMs
from online.gateway.telemetry.finished import Finished

Wanted = Literal["all", "degraded", "none"]
_STANDARD_ERROR = 2


class RequestLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `Finished` says. `slowest` is the part that took longest; a request without an answer has no `level`, and
    none of what follows it."""

    time: datetime
    trace_id: str
    route: str
    method: str
    outcome: str
    status: int
    slowest: str
    timing_ms: TimingMs
    level: str | None = None
    degraded: str | None = None
    cached: bool | None = None
    generation: int | None = None
    model_version: str | None = None


def to_standard_error(line: bytes) -> None:
    """In one call of the system, so that lines of several threads and workers do not mix."""
    os.write(_STANDARD_ERROR, line)


class RequestLog:
    """`degraded` leaves out answers at the best level."""

    def __init__(self, wanted: Wanted, write: Callable[[bytes], None] = to_standard_error) -> None:
        self._all, self._none, self._write = wanted == "all", wanted == "none", write

    def tell(self, done: Finished) -> None:
        if self._none or not (self._all or done.degraded or done.outcome != "ok"):
            return
        self._write(
            _encode(
                RequestLine(
                    datetime.now(UTC),
                    done.trace.trace_id,
                    done.route,
                    done.method,
                    done.outcome,
                    done.status,
                    done.slowest,
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
