"""The gateway's metrics: contract.metrics, bound to labels once, told of requests in batches."""

import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from contract import metrics as names
from contract.records import FOLLOWED_BY, Through
from online.gateway.telemetry.finished import Finished
from online.gateway.telemetry.observing import observe_all


class GatewayMetrics:
    """With PROMETHEUS_MULTIPROC_DIR set before prometheus_client was imported, `families` sees every worker."""

    def __init__(self) -> None:
        # What is to happen before anybody reads.
        self.before_reading: Callable[[], None] = lambda: None
        own = CollectorRegistry()
        self.registry = own
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            self.registry = CollectorRegistry()
            MultiProcessCollector(self.registry)
        self._request = names.histogram(names.REQUEST_SECONDS, own)
        stages = names.histogram(names.STAGE_SECONDS, own)
        self._stages = [stages.labels(stage) for stage in names.STAGES]  # in the order of TimingMs
        self._level = names.counter(names.LEVEL, own)
        self._shed = names.counter(names.SHED, own)
        self._cache = names.counter(names.CACHE, own)
        self._impressions = names.counter(names.IMPRESSIONS, own)
        self._generation = names.gauge(names.GENERATION, own)
        self._age = names.gauge(names.CANDIDATES_AGE_SECONDS, own)
        # Before a generation is seen its age is unknown; a gauge's own 0 would read as fresh.
        self._age.set(math.nan)
        self._through = names.gauge(names.SLATE_THROUGH, own)
        self._show_through(Through())
        # `labels` takes a lock and builds a tuple; few combinations exist.
        self._request_of = lru_cache(256)(self._request.labels)
        self._level_of = lru_cache(8)(self._level.labels)
        self._shed_of = lru_cache(64)(self._shed.labels)
        self._cache_of = lru_cache(4)(self._cache.labels)
        self._impressions_of = lru_cache(4)(self._impressions.labels)

    def tell(self, finished: Sequence[Finished]) -> None:
        """Requests are over. Of answers every stage is observed, 0 where it did not run, so that means add up."""
        took: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for done in finished:
            took[done.route, done.outcome, done.level or "none"].append(done.timing.total / 1000)
        for labels, seconds in took.items():
            observe_all([self._request_of(*labels)], [seconds])
        answers = [done for done in finished if done.level is not None]
        if not answers:
            return
        stages = zip(*[msgspec.structs.astuple(done.timing) for done in answers], strict=True)
        observe_all(self._stages, [[ms / 1000 for ms in stage] for stage in stages])
        for level, count in Counter(done.level for done in answers).items():
            self._level_of(level).inc(count)
        for reason, count in Counter(done.degraded for done in answers if done.degraded is not None).items():
            self._shed_of(reason).inc(count)

    def cache_looked_up(self, hit: bool) -> None:
        self._cache_of("hit" if hit else "miss").inc()

    def impressions(self, outcome: str, count: int = 1) -> None:
        """`outcome`: written, or dropped because the stream was full or away too long."""
        self._impressions_of(outcome).inc(count)

    def show_generation(self, generation: int, age_seconds: float, through: Through) -> None:
        """The generation that is served, and what it tells of the slates before it."""
        self._generation.set(generation)
        self._age.set(age_seconds)
        self._show_through(through)

    def families(self) -> Iterable[Any]:
        """What Prometheus sees, of every worker."""
        self.before_reading()
        return self.registry.collect()  # type: ignore[no-any-return]

    def page(self) -> bytes:
        """The same as Prometheus reads it."""
        self.before_reading()
        return bytes(generate_latest(self.registry))

    def _show_through(self, through: Through) -> None:
        for event in FOLLOWED_BY:
            share = getattr(through, event)
            self._through.labels(event).set(math.nan if share is None else share)
