"""`python -m benchmarks.watched_gateway`: the gateway, where a request may ask not to be watched, to measure what that
costs.

With the header `X-Unwatched` no stage is timed, and the request is neither counted, logged nor traced; all else
happens as always. Its answer has no times and no id of a trace. `GET /measured` tells what was measured since the call
before.
"""

import gc
import json
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from flask import Flask

from contract.settings import read_settings
from online.gateway import recommend, wsgi
from online.gateway.__main__ import serve
from online.gateway.stages import RequestClock
from online.gateway.telemetry.telemetry import Telemetry
from online.gateway.telemetry.trace import Trace

NO_TRACE = Trace("")
UNWATCHED = "X-Unwatched"
_VARIABLE = "HTTP_X_UNWATCHED"
# Threads that are there to watch; the last one is OpenTelemetry's.
WATCHING = ("telemetry", "monitor", "OtelBatchSpanRecordProcessor")

_now = threading.local()


class BudgetAlone(RequestClock):
    """No laps."""

    def lap(self, part: str) -> None: ...

    def ranked(self, queue: float, features: float, encode: float, score: float) -> None: ...

    def timing(self) -> None: ...  # type: ignore[override]


class Measured:
    """A WSGI application, and the CPU time of what it does, in nanoseconds."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self._inner = inner
        self._requests: dict[str, list[int]] = {"on": [], "off": [], "scrape": []}
        self._collected = 0
        self._watching: dict[str, int] = {}
        self._told = time.monotonic()
        gc.callbacks.append(self._collecting)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _now.watched = _VARIABLE not in environ
        path = environ["PATH_INFO"]
        if path == "/measured":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self.told()).encode()]
        _now.collected = 0
        began = time.thread_time_ns()
        answer = self._inner(environ, start_response)
        spent = time.thread_time_ns() - began - _now.collected
        if path == "/metrics":
            self._requests["scrape"].append(spent)
        elif path == recommend.ROUTE:
            self._requests["on" if _now.watched else "off"].append(spent)
        return answer

    def told(self) -> dict[str, Any]:
        """Each request's, the garbage collector's, which is in no request's, and that of the threads that watch."""
        watching = {thread.name: _thread_ns(thread) for thread in threading.enumerate() if thread.name in WATCHING}
        told = {
            **self._requests,
            "collected": self._collected,
            "beside": {name: spent - self._watching.get(name, 0) for name, spent in watching.items()},
            "seconds": time.monotonic() - self._told,
        }
        self._requests = {name: [] for name in self._requests}
        self._collected, self._watching, self._told = 0, watching, time.monotonic()
        return told

    def _collecting(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            _now.began = time.thread_time_ns()
            return
        spent = time.thread_time_ns() - _now.began
        if threading.current_thread().name not in WATCHING:  # theirs is told already
            self._collected += spent
        _now.collected = getattr(_now, "collected", 0) + spent


def _thread_ns(thread: threading.Thread) -> int:
    """CPU time of a thread of this process, as the scheduler counted it."""
    return int(Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()[0])


def _either(watched: Callable[..., Any], unwatched: Callable[..., Any]) -> Callable[..., Any]:
    """As this request has it."""
    return lambda *of: (watched if _now.watched else unwatched)(*of)


def build() -> Flask:
    """What a server process of granian loads."""
    others: dict[str, Callable[..., Any]] = {
        "RequestClock": BudgetAlone,
        "trace_of": lambda *of: NO_TRACE,
        "Finished": lambda *of: None,
        "answer_body": lambda untimed, timing: untimed,
    }
    for name, unwatched in others.items():
        setattr(recommend, name, _either(getattr(recommend, name), unwatched))
    Telemetry.note = _either(Telemetry.note, lambda telemetry, done: None)  # type: ignore[method-assign]
    app = wsgi.build()
    app.wsgi_app = Measured(app.wsgi_app)  # type: ignore[method-assign]
    return app


if __name__ == "__main__":
    serve(read_settings(), "benchmarks.watched_gateway:build")
