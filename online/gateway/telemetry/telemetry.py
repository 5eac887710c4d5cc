"""Whom requests are told to when they are over: the metrics, the log, and a tracing backend where one is set."""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from contract.settings import Settings
from online.gateway.metrics import GatewayMetrics
from online.gateway.telemetry.finished import Finished
from online.gateway.telemetry.request_log import RequestLog

log = logging.getLogger(__name__)

# As for impressions: waking up costs more than what is told. A gateway that is killed loses what this time brought.
SETTLE_SECONDS = 1.0
# Where the thread does not keep up, requests wait for it rather than fill the memory.
MOST_HELD = 10_000


class Listener(Protocol):
    """Told of requests that are over, in the order of their ends; by one thread at a time."""

    def tell(self, finished: Sequence[Finished]) -> None: ...


class Backend(Listener, Protocol):
    """Sends to others what it is told."""

    def stop(self) -> None: ...


class Telemetry:
    """A request is noted in a microsecond or two, and told beside the requests: in batches, which cost a fraction of
    what each request by itself would. `settle` tells what is held; whoever reads the metrics has it done first."""

    def __init__(self, metrics: GatewayMetrics, lines: Listener, tracing: Backend | None = None) -> None:
        self._listeners: list[Listener] = [metrics, lines, *([tracing] if tracing is not None else [])]
        self._tracing = tracing
        self._held: deque[Finished] = deque()
        self._settling = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        metrics.before_reading = self.settle

    def start(self) -> None:
        self._thread.start()

    def note(self, finished: Finished) -> None:
        self._held.append(finished)
        if len(self._held) >= MOST_HELD:
            self.settle()

    def settle(self) -> None:
        """Tell all that was noted before. A listener that fails is logged, and costs the others nothing."""
        with self._settling:
            batch = [self._held.popleft() for _ in range(len(self._held))]
            for listener in self._listeners if batch else ():
                try:
                    listener.tell(batch)
                except Exception:
                    log.exception("%s lost what %d requests told", type(listener).__name__, len(batch))

    def stop(self) -> None:
        """Tell and send what is held. No request may be in flight any more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self.settle()
        if self._tracing is not None:
            self._tracing.stop()

    def _run(self) -> None:
        while not self._stopping.wait(SETTLE_SECONDS):
            self.settle()


def telemetry_of(settings: Settings, metrics: GatewayMetrics) -> Telemetry:
    """As the settings want it. OpenTelemetry is imported where it is used: it takes 20 MB."""
    tracing: Backend | None = None
    if settings.tracing.endpoint:
        from online.gateway.telemetry.spans import Spans

        tracing = Spans(settings.tracing.endpoint, settings.tracing.sampled)
    return Telemetry(metrics, RequestLog(settings.log.requests), tracing)
