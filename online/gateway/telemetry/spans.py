"""Requests as OpenTelemetry spans, one for the whole and one for each lap, sent over OTLP.

Made when a request is over, from the times that it measured anyway: while it runs, tracing costs it nothing.
"""

from collections.abc import Sequence
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from online.gateway.telemetry.finished import Finished
from online.gateway.telemetry.trace import Trace

# A collector that does not answer is waited for so long, in the background; spans are dropped then.
EXPORT_SECONDS = 2.0
# A batch of requests comes at once: ten spans each, where callers or settings have all of them sampled.
MOST_HELD = 65_536


class Spans:
    """Sends to `endpoint`, http://host:4318/v1/traces, the share `sampled` of the requests.

    A caller that sends a traceparent decides for its own.
    """

    def __init__(self, endpoint: str, sampled: float) -> None:
        self._ids = _GivenTraceIds()
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sampled)),
            resource=Resource.create({"service.name": "pacesetter-gateway"}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=MOST_HELD))
        self._tracer = self._provider.get_tracer("pacesetter")

    def tell(self, finished: Sequence[Finished]) -> None:
        for done in finished:
            self._tell(done)

    def _tell(self, done: Finished) -> None:
        took = done.ends[-1] * 1000 if done.ends else 0
        began = round(done.at * 1e9) - took
        self._ids.next_one(done.trace)
        whole = self._tracer.start_span(
            f"{done.method} {done.route}", _context_of(done.trace), SpanKind.SERVER, start_time=began
        )
        if not whole.is_recording():
            return
        self._describe(whole, done)
        inside = set_span_in_context(whole)
        start = began
        for part, until in zip(done.parts, done.ends, strict=True):
            end = began + until * 1000
            self._tracer.start_span(part, inside, start_time=start).end(end)
            start = end
        whole.end(began + took)

    def stop(self) -> None:
        """Send what is held, as far as a collector takes it in time: at an end nobody waits for one that is away."""
        ending = Thread(target=self._provider.shutdown, name="spans", daemon=True)
        ending.start()
        ending.join(EXPORT_SECONDS)

    def _describe(self, span: Span, done: Finished) -> None:
        answered = {
            "level": done.level,
            "degraded": done.degraded,
            "cached": done.cached,
            "generation": done.generation,
            "model_version": done.model_version,
        }
        span.set_attributes(
            {
                "http.request.method": done.method,
                "http.route": done.route,
                "http.response.status_code": done.status,
                **{f"pacesetter.{name}": value for name, value in answered.items() if value is not None},
            }
        )
        if done.outcome == "error":
            span.set_status(Status(StatusCode.ERROR))


class _GivenTraceIds(RandomIdGenerator):
    """The SDK asks for the id of a trace when its first span starts; ours has had one since the request arrived."""

    def __init__(self) -> None:
        self._trace_id = 0

    def next_one(self, trace: Trace) -> None:
        """For the next trace that begins."""
        self._trace_id = int(trace.trace_id, 16)

    def generate_trace_id(self) -> int:
        return self._trace_id


def _context_of(trace: Trace) -> Context:
    """Where the caller's span is the parent; an empty one where there is none."""
    if trace.parent is None:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if trace.sampled else TraceFlags.DEFAULT)
    parent = SpanContext(int(trace.trace_id, 16), int(trace.parent, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(parent), Context())
