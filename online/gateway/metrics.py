"""The gateway's metrics: contract.metrics, bound to labels once and observed with one call a request."""

import math
import os
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from contract import metrics as names
from online.gateway.telemetry.finished import Finished


class GatewayMetrics:
    """With PROMETHEUS_MULTIPROC_DIR set before prometheus_client was imported, `families` sees every worker."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self.registry = own
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            self.registry = CollectorRegistry()
            MultiProcessCollector(self.registry)
        self._request = names.histogram(names.REQUEST_SECONDS, own)
        stages = names.histogram(names.STAGE_SECONDS, own)
        self._stages = [(stage, stages.labels(stage)) for stage in names.STAGES]
        self._level = names.counter(names.LEVEL, own)
        self._shed = names.counter(names.SHED, own)
        self._cache = names.counter(names.CACHE, own)
        self._impressions = names.counter(names.IMPRESSIONS, own)
        self._generation = names.gauge(names.GENERATION, own)
        self._age = names.gauge(names.CANDIDATES_AGE_SECONDS, own)
        # Before a generation is seen its age is unknown; a gauge's own 0 would read as fresh.
        self._age.set(math.nan)
        # `labels` takes a lock and builds a tuple; few combinations exist.
        self._request_of = lru_cache(256)(self._request.labels)
        self._level_of = lru_cache(8)(self._level.labels)
        self._shed_of = lru_cache(64)(self._shed.labels)
        self._cache_of = lru_cache(4)(self._cache.labels)
        self._impressions_of = lru_cache(4)(self._impressions.labels)

    def tell(self, done: Finished) -> None:
        """A request is over. Of an answer every stage is observed, 0 where it did not run, so that means add up."""
        timing = done.timing
        self._request_of(done.route, done.outcome, done.level or "none").observe(timing.total / 1000)
        if done.level is None:
            return
        for stage, histogram in self._stages:
            histogram.observe(getattr(timing, stage) / 1000)
        self._level_of(done.level).inc()
        if done.degraded is not None:
            self._shed_of(done.degraded).inc()

    def cache_looked_up(self, hit: bool) -> None:
        self._cache_of("hit" if hit else "miss").inc()

    def impressions(self, outcome: str, count: int = 1) -> None:
        """`outcome`: written, or dropped because the stream was full or away too long."""
        self._impressions_of(outcome).inc(count)

    def show_generation(self, generation: int, age_seconds: float) -> None:
        self._generation.set(generation)
        self._age.set(age_seconds)

    def families(self) -> Iterable[Any]:
        """What Prometheus sees, of every worker."""
        return self.registry.collect()  # type: ignore[no-any-return]
