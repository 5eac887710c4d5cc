"""What benchmarks.monitoring_cost concludes from what it measured. Pure."""

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SEED = 17
RESAMPLES = 2000
# A tenth on either side of what requests cost is of page faults, interrupts and the like.
TRIMMED = 0.1


class Start(NamedTuple):
    """What was found of one start of the gateway: microseconds of CPU of watched requests and of others, in them; those
    that a watched one costs beside; the share of a core that goes by the clock; how many requests a second are
    answered; and the shares of these lost in short turns."""

    on: NDArray[np.float64]
    off: NDArray[np.float64]
    beside_us: float
    by_clock: float
    per_second: float
    lost: list[float]


def trimmed(values: Any) -> float:
    """The mean of what is left without a tenth on either side."""
    ordered = np.sort(values)
    cut = int(len(ordered) * TRIMMED)
    return float(ordered[cut : len(ordered) - cut].mean())


def sampled(starts: Sequence[Start]) -> Iterator[tuple[float, float, float, float]]:
    """What was found: inside, beside, both, and the share of the time of all, what goes by the clock with it. Then the
    same of samples, drawn with replacement: of starts, and within them of requests."""
    draw = np.random.default_rng(SEED)
    for resample in range(RESAMPLES + 1):
        of = [starts[place] for place in draw.integers(len(starts), size=len(starts))] if resample else starts
        inside = [
            trimmed(draw.choice(start.on, len(start.on))) - trimmed(draw.choice(start.off, len(start.off)))
            if resample
            else trimmed(start.on) - trimmed(start.off)
            for start in of
        ]
        costs = [one + start.beside_us for one, start in zip(inside, of, strict=True)]
        shares = [cost * start.per_second / 1e6 + start.by_clock for cost, start in zip(costs, of, strict=True)]
        yield fmean(inside), fmean(start.beside_us for start in of), fmean(costs), fmean(shares)


def losses(starts: Sequence[Start]) -> list[float]:
    """Shares of the throughput: what short turns found, and what is done beside the requests, which may fall into turns
    of either kind."""
    return [lost + start.beside_us * start.per_second / 1e6 + start.by_clock for start in starts for lost in start.lost]


def resampled(values: Sequence[float]) -> list[float]:
    """Their mean, then the means of samples."""
    draw = np.random.default_rng(SEED)
    return [fmean(values), *(float(draw.choice(values, len(values)).mean()) for _ in range(RESAMPLES))]


def interval(values: Sequence[float]) -> dict[str, float]:
    """What was found, the first of `values`; and where 95 % of the others lie."""
    low, high = np.quantile(values[1:], (0.025, 0.975)).tolist()
    return {"found": round(values[0], 4), "low": round(low, 4), "high": round(high, 4)}
