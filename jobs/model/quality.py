"""How good rankings are, query by query, and whether one is better than another beyond chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ir_measures
import msgspec
import numpy as np
from ir_measures import RR, R, Success, nDCG
from numpy.typing import NDArray
from scipy.stats import bootstrap

NDCG = nDCG @ 10
RECALL = R @ 100
HIT = Success @ 10
MEASURES = (NDCG, RR, HIT, RECALL)

# A ranking: item ids of a query, best first.
Rankings = Mapping[str, Sequence[str]]


class Estimate(msgspec.Struct, frozen=True):
    """A mean over queries with its 95% bootstrap interval; no interval where there are fewer than two queries."""

    mean: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return f"{self.mean:.4f}" + ("" if self.low is None else f" [{self.low:.4f}, {self.high:.4f}]")


@dataclass(frozen=True, eq=False)
class Quality:
    """float64[queries] each, in the order of the query ids."""

    ndcg10: NDArray[np.float64]
    mrr: NDArray[np.float64]
    hit10: NDArray[np.float64]
    recall100: NDArray[np.float64]


def measure(rankings: Rankings, labels: Mapping[str, frozenset[str]]) -> Quality:
    """The MEASURES of every query in `labels`, each against all that was taken, retrieved or not.

    A query without a ranking, or with an empty one, counts 0.
    """
    taken = {query: dict.fromkeys(sorted(items), 1) for query, items in labels.items()}
    run = {
        query: {item: float(-rank) for rank, item in enumerate(rankings.get(query, ()))}
        for query in labels
        if rankings.get(query)
    }
    place = {query: row for row, query in enumerate(labels)}
    found = {str(measured): np.zeros(len(place)) for measured in MEASURES}
    if run:
        for metric in ir_measures.iter_calc(MEASURES, taken, run):
            found[str(metric.measure)][place[metric.query_id]] = metric.value
    return Quality(*(found[str(measured)] for measured in MEASURES))


def estimate(values: NDArray[np.float64], seed: int) -> Estimate:
    """The mean of a value a query, with its interval. Of differences query by query it is a paired one."""
    mean = float(values.mean()) if len(values) else 0.0
    if len(values) < 2:
        return Estimate(mean, None, None)
    interval = bootstrap(
        (values,), np.mean, n_resamples=2000, method="percentile", batch=100, rng=np.random.default_rng(seed)
    ).confidence_interval
    return Estimate(mean, float(interval.low), float(interval.high))


def lower_bound(values: NDArray[np.float64], confidence: float, seed: int) -> float | None:
    """The one-sided bootstrap bound that the mean lies above at this level; None for fewer than two values."""
    if len(values) < 2:
        return None
    interval = bootstrap(
        (values,),
        np.mean,
        n_resamples=2000,
        method="percentile",
        batch=100,
        confidence_level=confidence,
        alternative="greater",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low)
