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
SETTLE_SECONDS = 2.0
# Where lines and spans are taken too slowly, or not at all, the oldest are dropped: answers and metrics go on.
MOST_HELD = 10_000
# At the end what is held is waited for no longer.
END_SECONDS = 5.0


class Listener(Protocol):
    """Told of requests that are over, in the order of their ends; by one thread at a time."""

    def tell(self, finished: Sequence[Finished]) -> None: ...


class Backend(Listener, Protocol):
    """Sends to others what it is told."""

    def stop(self) -> None: ...


class Telemetry:
    """A request is noted in a microsecond or two, and told beside the requests: in batches, which cost a fraction of
    what each request by itself would.

    The metrics are told by the thread, and before anybody in this process reads them; nothing there can wait. What may
    wait for others, the log and the backend, the thread alone tells.
    """

    def __init__(self, metrics: GatewayMetrics, lines: Listener, tracing: Backend | None = None) -> None:
        self._metrics = metrics
        self._others: list[Listener] = [lines, *([tracing] if tracing is not None else [])]
        self._tracing = tracing
        self._noted: deque[Finished] = deque()
        self._counted: deque[Finished] = deque(maxlen=MOST_HELD)
        self._dropped = 0
        self._counting = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        metrics.before_reading = self.count

    def start(self) -> None:
        self._thread.start()

    def note(self, finished: Finished) -> None:
        self._noted.append(finished)
        if len(self._noted) >= MOST_HELD:
            self.count()

    def count(self) -> None:
        """Tell the metrics all that was noted before."""
        with self._counting:
            batch = _taken(self._noted)
            if batch:
                self._tell(self._metrics, batch)
                self._dropped += max(0, len(self._counted) + len(batch) - MOST_HELD)
                self._counted += batch

    def settle(self) -> None:
        """Tell all of it to everybody, and wait for whoever has to be waited for. For one thread at a time."""
        self.count()
        batch = _taken(self._counted)
        for listener in self._others if batch else ():
            self._tell(listener, batch)
        if self._dropped:
            log.warning("%d requests left no line and no span: these are taken too slowly", self._dropped)
            self._dropped = 0

    def stop(self) -> None:
        """Tell and send what is held, unless that takes too long. No request may be in flight any more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(END_SECONDS)
        if self._thread.is_alive():
            log.warning("%d lines were not written: nobody reads them", len(self._counted))
            return
        self.settle()
        if self._tracing is not None:
            self._tracing.stop()

    def _run(self) -> None:
        while not self._stopping.wait(SETTLE_SECONDS):
            self.settle()

    @staticmethod
    def _tell(listener: Listener, batch: Sequence[Finished]) -> None:
        """One that fails is logged, and costs the others nothing."""
        try:
            listener.tell(batch)
        except Exception:
            log.exception("%s lost what %d requests told", type(listener).__name__, len(batch))


def _taken(held: "deque[Finished]") -> list[Finished]:
    """All that is held now, while others append."""
    return [held.popleft() for _ in range(len(held))]


def telemetry_of(settings: Settings, metrics: GatewayMetrics) -> Telemetry:
    """As the settings want it. OpenTelemetry is imported where it is used: it takes 20 MB."""
    tracing: Backend | None = None
    if settings.tracing.endpoint:
        from online.gateway.telemetry.spans import Spans

        tracing = Spans(settings.tracing.endpoint, settings.tracing.sampled)
    return Telemetry(metrics, RequestLog(settings.log.requests), tracing)
