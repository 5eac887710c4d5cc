"""Whom a request is told to when it is over: the metrics, the log, and a tracing backend where one is set."""

from dataclasses import dataclass
from typing import Protocol

from contract.settings import Settings
from online.gateway.metrics import GatewayMetrics
from online.gateway.telemetry.finished import Finished
from online.gateway.telemetry.request_log import RequestLog


class Listener(Protocol):
    """Told of every request that is over, by the thread that answered it."""

    def tell(self, done: Finished) -> None: ...


class Backend(Listener, Protocol):
    """Tells others, beside the requests."""

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Telemetry:
    """`metrics`, the log, and `tracing`."""

    metrics: GatewayMetrics
    log: Listener
    tracing: Backend | None = None

    def tell(self, done: Finished) -> None:
        self.metrics.tell(done)
        self.log.tell(done)
        if self.tracing is not None:
            self.tracing.tell(done)

    def stop(self) -> None:
        """Send what is held. No request may be in flight any more."""
        if self.tracing is not None:
            self.tracing.stop()


def telemetry_of(settings: Settings, metrics: GatewayMetrics) -> Telemetry:
    """As the settings want it. OpenTelemetry is imported where it is used: it takes 20 MB."""
    tracing: Backend | None = None
    if settings.tracing.endpoint:
        from online.gateway.telemetry.spans import Spans

        tracing = Spans(settings.tracing.endpoint, settings.tracing.sampled)
    return Telemetry(metrics, RequestLog(settings.log.requests), tracing)
