"""Figures of the last minutes, from differences of cumulative metrics. Pure, but for the history's lock."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Labels = tuple[str, ...]

# time.monotonic() at the gateway's start, for its workers: each starts a little later than the one before.
STARTED_VARIABLE = "PACESETTER_GATEWAY_STARTED"


@dataclass(frozen=True)
class Histogram:
    """Cumulative counts by upper bound (the last is infinity), and the sum of what was observed."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    sum: float

    @property
    def count(self) -> float:
        return self.counts[-1] if self.counts else 0.0

    def since(self, before: "Histogram | None") -> "Histogram":
        if before is None or before.bounds != self.bounds or before.count > self.count:
            return self
        counts = tuple(now - then for now, then in zip(self.counts, before.counts, strict=True))
        return Histogram(self.bounds, counts, self.sum - before.sum)

    def within(self, bound: float | None) -> float:
        """How many were at most `bound`, one of the bounds; None: all."""
        if bound is None or not self.counts:
            return self.count
        return self.counts[self.bounds.index(bound)]

    def mean(self) -> float | None:
        return self.sum / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """Linear within the bucket, as Prometheus has it; beyond the last bound, that bound.

        What is observed is never negative, so a share 1 - q of it at the quantile or above lifts the mean to at least
        (1 - q) times the quantile (Markov's inequality). The mean is exact: no estimate exceeds what it allows.
        """
        mean = self.mean()
        if mean is None:
            return None
        estimate = self._interpolated(q)
        return min(estimate, max(mean, 0.0) / (1 - q)) if q < 1 else estimate

    def _interpolated(self, q: float) -> float:
        wanted = q * self.count
        below = 0.0
        low = 0.0
        for bound, count in zip(self.bounds, self.counts, strict=True):
            if count >= wanted:
                if bound == float("inf"):
                    return low
                inside = count - below
                return min(bound, low + (bound - low) * ((wanted - below) / inside if inside else 1.0))
            below, low = count, bound
        return low


@dataclass(frozen=True)
class Snapshot:
    """Metrics as they stood at one time, by metric name and label values in order of the labels' names.

    The order in which a metric declares its labels is lost where several workers' metrics are read together.
    """

    at: float
    histograms: Mapping[tuple[str, Labels], Histogram] = field(default_factory=dict)
    counters: Mapping[tuple[str, Labels], float] = field(default_factory=dict)
    gauges: Mapping[tuple[str, Labels], float] = field(default_factory=dict)

    def histogram(self, name: str, since: "Snapshot", *labels: str) -> Histogram:
        """What was observed since; an empty one if nothing was."""
        now = self.histograms.get((name, labels))
        return now.since(since.histograms.get((name, labels))) if now else Histogram((), (), 0.0)

    def counts(self, name: str, since: "Snapshot") -> dict[str, float]:
        """By the first label's value, what was counted since; values that saw nothing are left out."""
        out: dict[str, float] = {}
        for (metric, labels), value in self.counters.items():
            grown = value - min(since.counters.get((metric, labels), 0.0), value)
            if metric == name and grown:
                out[labels[0]] = out.get(labels[0], 0.0) + grown
        return out


def snapshot(families: Iterable[Any], at: float) -> Snapshot:
    """From prometheus_client metric families; of several workers' gauges, as contract.metrics has them, one is left."""
    histograms: dict[tuple[str, Labels], Histogram] = {}
    counters: dict[tuple[str, Labels], float] = {}
    gauges: dict[tuple[str, Labels], float] = {}
    for family in families:
        if family.type == "counter":
            for sample in family.samples:
                if sample.name.endswith("_total"):
                    counters[sample.name, _values(sample.labels)] = sample.value
        elif family.type == "gauge":
            for sample in family.samples:
                gauges[sample.name, _values(sample.labels)] = sample.value
        elif family.type == "histogram":
            buckets: dict[Labels, list[tuple[float, float]]] = {}
            sums: dict[Labels, float] = {}
            for sample in family.samples:
                labels = _values(sample.labels)
                if sample.name.endswith("_bucket"):
                    buckets.setdefault(labels, []).append((float(sample.labels["le"]), sample.value))
                elif sample.name.endswith("_sum"):
                    sums[labels] = sample.value
            for labels, pairs in buckets.items():
                bounds, counts = zip(*sorted(pairs), strict=True)
                histograms[family.name, labels] = Histogram(bounds, counts, sums.get(labels, 0.0))
    return Snapshot(at, histograms, counters, gauges)


def _values(labels: Mapping[str, str]) -> Labels:
    return tuple(labels[name] for name in sorted(labels) if name != "le")


class History:
    """Snapshots of the last `keep_seconds`, from `first` on."""

    def __init__(self, first: Snapshot, keep_seconds: float) -> None:
        self._kept = deque([first])
        self._keep_seconds = keep_seconds
        self._lock = threading.Lock()

    def add(self, taken: Snapshot) -> None:
        with self._lock:
            self._kept.append(taken)
            while len(self._kept) > 2 and self._kept[1].at <= taken.at - self._keep_seconds:
                self._kept.popleft()

    def before(self, at: float) -> Snapshot:
        """The newest snapshot taken at or before `at`, else the oldest there is."""
        with self._lock:
            found = self._kept[0]
            for taken in self._kept:
                if taken.at > at:
                    break
                found = taken
            return found
