"""How well a ranker's scores say how likely a candidate is to be taken.

A listwise loss does not change when a constant is added to all scores of a list, so a score alone says nothing across
lists. What it fixes is the candidate's share of the softmax over its list (the top-one probability of Cao et al. 2007).
Its logarithm is mapped to a probability by two numbers that are fitted on the validation period (Platt 1999), and the
probabilities are compared with what was taken in the test period: in bins of equally many pairs, as the mean distance
between what was said and what was seen (expected calibration error: Guo et al. 2017; bins by Nixon et al. 2019).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from jobs.model.dataset import Query
from jobs.model.quality import Estimate

BINS = 10
RESAMPLES = 500

# Query id -> the scores of its first candidates.
Scores = Mapping[str, NDArray[np.float32]]


class Bin(msgspec.Struct, frozen=True):
    """Pairs of about one predicted probability. `observed` is the share that was taken, resampled by query."""

    predicted: float
    observed: Estimate
    pairs: int


class Calibration(msgspec.Struct, frozen=True):
    """`error` is the expected calibration error. One probability for every pair can have little of it too, so the
    Brier scores, mean squared distances, stand beside it: the ranker's and that of the validation period's rate of
    takes. A probability is sigmoid(slope * log share + offset).
    """

    error: float
    brier: float
    constant_brier: float
    taken: float
    slope: float
    offset: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, eq=False)
class Pairs:
    """The scored pairs of queries, all of one length: log share of the softmax, whether taken, the query's number."""

    log_share: NDArray[np.float64]
    taken: NDArray[np.float64]
    query: NDArray[np.int64]

    @staticmethod
    def of(queries: Sequence[Query], scores: Scores) -> "Pairs":
        """Queries without a candidate have no part."""
        asked = [query for query in queries if len(scores[query.query_id])]
        lengths = [len(scores[query.query_id]) for query in asked]
        empty = np.zeros(0)
        return Pairs(
            np.concatenate([empty, *(log_softmax(scores[one.query_id].astype(np.float64)) for one in asked)]),
            np.concatenate([empty, *(one.hits[:length] for one, length in zip(asked, lengths, strict=True))]),
            np.repeat(np.arange(len(asked)), lengths),
        )


def calibration(fitted_on: Pairs, measured_on: Pairs, seed: int) -> Calibration | None:
    """None where one of the two has no pair, or where nothing, or everything, was taken in `fitted_on`."""
    if not len(measured_on.taken) or not len(fitted_on.taken) or len(np.unique(fitted_on.taken)) < 2:
        return None
    slope, offset = platt(fitted_on.log_share, fitted_on.taken)
    predicted = expit(slope * measured_on.log_share + offset)
    bins = reliability(predicted, measured_on, seed)
    return Calibration(
        error=sum(one.pairs * abs(one.predicted - one.observed.mean) for one in bins) / len(predicted),
        brier=float(((predicted - measured_on.taken) ** 2).mean()),
        constant_brier=float(((fitted_on.taken.mean() - measured_on.taken) ** 2).mean()),
        taken=float(measured_on.taken.mean()),
        slope=slope,
        offset=offset,
        bins=bins,
    )


def platt(values: NDArray[np.float64], taken: NDArray[np.float64]) -> tuple[float, float]:
    """(slope, offset) of greatest likelihood, against targets a little off 0 and 1, so that they stay finite."""
    positives = taken.sum()
    negatives = len(taken) - positives
    targets = np.where(taken > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    centre, width = values.mean(), values.std()
    if width < 1e-9:  # a constant score, but for rounding: it has no slope
        rate = targets.mean()
        return 0.0, float(np.log(rate / (1 - rate)))
    scaled = (values - centre) / width

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = at[0] * scaled + at[1]
        wrong = expit(logits) - targets
        value = np.logaddexp(0, logits) - targets * logits
        return float(value.mean()), np.array([(wrong * scaled).mean(), wrong.mean()])

    slope, offset = minimize(loss, np.zeros(2), jac=True, method="BFGS").x
    return float(slope / width), float(offset - slope * centre / width)


def reliability(predicted: NDArray[np.float64], pairs: Pairs, seed: int) -> tuple[Bin, ...]:
    """BINS of equally many pairs, from the least predicted on; equal predictions are never torn apart."""
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, BINS + 1)[1:-1]))
    place = np.searchsorted(edges, predicted, side="left")
    queries = int(pairs.query.max()) + 1
    counts, taken = np.zeros((queries, len(edges) + 1)), np.zeros((queries, len(edges) + 1))
    np.add.at(counts, (pairs.query, place), 1.0)
    np.add.at(taken, (pairs.query, place), pairs.taken)
    shares = _resampled(counts, taken, np.random.default_rng(seed))
    return tuple(
        Bin(
            float(predicted[place == column].mean()),
            Estimate(float(taken[:, column].sum() / counts[:, column].sum()), *_interval(shares[:, column])),
            int(counts[:, column].sum()),
        )
        for column in range(len(edges) + 1)
        if counts[:, column].any()
    )


def _resampled(
    counts: NDArray[np.float64], taken: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """float64[RESAMPLES, bins]: the share taken when queries, not pairs, are drawn anew; NaN where none was drawn."""
    queries = len(counts)
    rows = []
    for _ in range(RESAMPLES):
        weights = np.bincount(random.integers(queries, size=queries), minlength=queries)
        with np.errstate(invalid="ignore"):
            rows.append((weights @ taken) / (weights @ counts))
    return np.array(rows)


def _interval(shares: NDArray[np.float64]) -> tuple[float | None, float | None]:
    known = shares[np.isfinite(shares)]
    if len(known) < 2:
        return None, None
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)
