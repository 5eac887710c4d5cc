"""`python -m benchmarks.unmonitored_gateway`: the gateway without its monitoring, to measure what that costs.

No stage is timed, no request is counted, logged or traced, no snapshot is taken. Whatever else happens for an answer
happens here too (look-ups of the cache and impressions are counted), and it looks the same, but all its times are 0.
"""

from flask import Flask

from contract.metrics import STAGES
from contract.settings import read_settings
from online.gateway import app, recommend, wsgi
from online.gateway.__main__ import serve
from online.gateway.monitor import Monitor
from online.gateway.stages import RequestClock, TimingMs
from online.gateway.telemetry.finished import Finished
from online.gateway.telemetry.trace import Trace

NOTHING = TimingMs(**dict.fromkeys(STAGES, 0.0))
NO_TRACE = Trace("")


class BudgetAlone(RequestClock):
    """No laps."""

    def lap(self, part: str) -> None: ...

    def ranked(self, queue: float, features: float, encode: float, score: float) -> None: ...

    def timing(self) -> TimingMs:
        return NOTHING


class Silent:
    """Told of a request, it tells nobody."""

    def start(self) -> None: ...

    def note(self, done: Finished) -> None: ...

    def stop(self) -> None: ...


def build() -> Flask:
    """What a server process of granian loads."""
    recommend.RequestClock = BudgetAlone  # type: ignore[misc]
    recommend.trace_of = lambda traceparent: NO_TRACE  # type: ignore[assignment]
    app.telemetry_of = lambda settings, metrics: Silent()  # type: ignore[assignment,return-value]
    Monitor.start = Monitor.stop = lambda self: None  # type: ignore[method-assign]
    return wsgi.build()


if __name__ == "__main__":
    serve(read_settings(), "benchmarks.unmonitored_gateway:build")
