"""The ranker's metrics, on its own port."""

import math
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry

from contract import metrics as names
from contract.frames import ErrorCode


class RankerMetrics:
    """`refused` counts by error code under rec_shed_total, as the gateway counts what it fell back for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._queue_wait = names.histogram(names.QUEUE_WAIT_SECONDS, self.registry)
        self._queue_size = names.gauge(names.QUEUE_SIZE, self.registry)
        self._pairs = names.histogram(names.BATCH_PAIRS, self.registry)
        self._requests = names.histogram(names.BATCH_REQUESTS, self.registry)
        stages = names.histogram(names.STAGE_SECONDS, self.registry)
        self._stages = [stages.labels(stage) for stage in names.RANKER_STAGES]
        self._refused = names.counter(names.SHED, self.registry)
        self._loads = names.counter(names.MODEL_LOADS, self.registry)
        self._info = names.gauge(names.MODEL_INFO, self.registry)
        self._ndcg = names.gauge(names.MODEL_NDCG, self.registry)
        self._ready = names.gauge(names.RANKER_UP, self.registry)
        self._ready.set(0)
        self._states = names.gauge(names.ITEM_STATES, self.registry)
        self._states_bytes = names.gauge(names.ITEM_STATES_BYTES, self.registry)
        self._state_loads = names.counter(names.STATE_LOADS, self.registry)
        self._texts = names.counter(names.TEXTS, self.registry)

    def scored(self, pairs: int, waited_seconds: Sequence[float], stage_seconds: Sequence[float]) -> None:
        """A batch of `pairs` pairs, and how long each of its requests had waited; `stage_seconds` are those of
        names.RANKER_STAGES."""
        self._pairs.observe(pairs)
        self._requests.observe(len(waited_seconds))
        for waited in waited_seconds:
            self._queue_wait.observe(waited)
        for stage, seconds in zip(self._stages, stage_seconds, strict=True):
            stage.observe(seconds)

    def states_loaded(self, outcome: str) -> None:
        """`outcome`: loaded or refused."""
        self._state_loads.labels(outcome).inc()

    def holds(self, texts: int, size: int) -> None:
        """So many texts' states came with the generation, in `size` bytes."""
        self._states.set(texts)
        self._states_bytes.set(size)

    def needed(self, kind: str, outcome: str, texts: int) -> None:
        """`kind`: item or query; `outcome`: known, fetched or read."""
        if texts:
            self._texts.labels(kind, outcome).inc(texts)

    def watch_line(self, waiting: Callable[[], int]) -> None:
        """`waiting` says how many requests do."""
        self._queue_size.set_function(waiting)

    def refused(self, code: ErrorCode) -> None:
        self._refused.labels(code).inc()

    def model_loaded(self, outcome: str) -> None:
        """`outcome`: loaded or refused."""
        self._loads.labels(outcome).inc()

    def show_model(self, version: str, ndcg10: float = math.nan) -> None:
        """The model that is served, and how well it ranked offline, NaN for unknown; "" for none."""
        self._info.clear()
        self._ndcg.clear()
        if version:
            self._info.labels(version).set(1)
            self._ndcg.labels(version).set(ndcg10)
        self._ready.set(1 if version else 0)
