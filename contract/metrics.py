"""Every metric's name, labels, buckets and meaning. Gateway, ranker, Prometheus rules and docs read them here.

No user or item id is ever a label. Every latency objective of ops/slo.yaml is an exact bucket edge.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contract.frames import ErrorCode
from contract.levels import LEVELS, REASONS
from contract.records import FOLLOWED_BY

SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 0.75, 1.0, 2.5, 5.0,
)  # fmt: skip
REQUESTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
PAIRS = (1.0, 10.0, 25.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)

# The stages of a request, in the order of time: they do not overlap, and t_total is their sum.
PARTS = ("parse", "candidates", "rules", "transfer", "queue", "features", "encode", "score", "serialize")
# Those that the network computes in: t_model is their sum, and t_total = t_model + t_system.
MODEL_PARTS = ("encode", "score")
SUMS = ("model", "system", "total")
STAGES = (*PARTS, *SUMS)
# The ranker's own view, under names of their own so that a sum over processes counts nothing twice.
RANKER_STAGES = ("ranker_features", "ranker_encode", "ranker_score")


@dataclass(frozen=True)
class Metric:
    """`values` are those that a label may have, where they are known beforehand."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


REQUEST_SECONDS = Metric(
    "rec_request_duration_seconds",
    "histogram",
    "Time from receiving a request to its answer",
    ("route", "outcome", "level"),
    # A call without an answer has no level.
    values={"route": ("/recommend",), "outcome": ("ok", "refused", "error"), "level": (*LEVELS, "none")},
)
STAGE_SECONDS = Metric(
    "rec_stage_duration_seconds",
    "histogram",
    "Time of one stage of a request; the ranker's are of a batch",
    ("stage",),
    values={"stage": (*STAGES, *RANKER_STAGES)},
)
QUEUE_WAIT_SECONDS = Metric("rec_queue_wait_seconds", "histogram", "Wait of a rank request in the ranker's queue")
QUEUE_SIZE = Metric("rec_queue_size", "gauge", "Rank requests waiting in the ranker")
BATCH_PAIRS = Metric("rec_batch_pairs", "histogram", "Pairs of rank requests scored together", buckets=PAIRS)
BATCH_REQUESTS = Metric("rec_batch_requests", "histogram", "Rank requests scored together", buckets=REQUESTS)
SHED = Metric(
    "rec_shed_total",
    "counter",
    "Answers below the best level, or rank requests refused",
    ("reason",),
    values={"reason": (*REASONS, *get_args(ErrorCode))},
)
LEVEL = Metric("rec_level_total", "counter", "Answers by level", ("level",), values={"level": LEVELS})
CACHE = Metric(
    "rec_answer_cache_total", "counter", "Answer cache look-ups", ("outcome",), values={"outcome": ("hit", "miss")}
)
IMPRESSIONS = Metric(
    "rec_impressions_total",
    "counter",
    "Slates offered to the event stream",
    ("outcome",),
    values={"outcome": ("written", "dropped")},
)
MODEL_INFO = Metric("rec_model_info", "gauge", "1 for the model that the ranker serves", ("version",))
MODEL_NDCG = Metric(
    "rec_model_ndcg", "gauge", "NDCG@10 of the served model on its validation period, by its manifest", ("version",)
)
LOADED = {"outcome": ("loaded", "refused")}
MODEL_LOADS = Metric(
    "rec_model_loads_total", "counter", "Models that the ranker loaded or refused", ("outcome",), values=LOADED
)
CANDIDATES_AGE_SECONDS = Metric("rec_candidates_age_seconds", "gauge", "Age of the live generation")
SLATE_THROUGH = Metric(
    "rec_slate_through",
    "gauge",
    "Share of the slates of late that an event on a shown item followed, as the live generation tells it",
    ("event",),
    values={"event": FOLLOWED_BY},
)
GENERATION = Metric("rec_generation", "gauge", "Number of the live generation, the time of its publish in UTC")
ITEM_STATES = Metric("rec_item_states", "gauge", "Texts of items whose states the ranker holds")
ITEM_STATES_BYTES = Metric("rec_item_states_bytes", "gauge", "Memory of the item states that came with a generation")
STATE_LOADS = Metric(
    "rec_state_loads_total",
    "counter",
    "Sets of item states that the ranker loaded or refused",
    ("outcome",),
    values=LOADED,
)
TEXTS = Metric(
    "rec_texts_total",
    "counter",
    "Texts that scoring needed: known from before, fetched from what rankers share, or read then",
    ("kind", "outcome"),
    values={"kind": ("item", "query"), "outcome": ("known", "fetched", "read")},
)
RANKER_UP = Metric("rec_ranker_ready", "gauge", "1 while the ranker is warm and serves a model")

ALL = (
    REQUEST_SECONDS, STAGE_SECONDS, QUEUE_WAIT_SECONDS, QUEUE_SIZE, BATCH_PAIRS, BATCH_REQUESTS, SHED, LEVEL, CACHE,
    IMPRESSIONS, MODEL_INFO, MODEL_NDCG, MODEL_LOADS, CANDIDATES_AGE_SECONDS, SLATE_THROUGH, GENERATION,
    ITEM_STATES, ITEM_STATES_BYTES, STATE_LOADS, TEXTS, RANKER_UP,
)  # fmt: skip


def counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric.name.removesuffix("_total"), metric.help, metric.labels, registry=registry)


def gauge(metric: Metric, registry: CollectorRegistry) -> Gauge:
    """With several processes the newest value counts."""
    return Gauge(metric.name, metric.help, metric.labels, registry=registry, multiprocess_mode="mostrecent")


def histogram(metric: Metric, registry: CollectorRegistry) -> Histogram:
    return Histogram(metric.name, metric.help, metric.labels, registry=registry, buckets=metric.buckets)
