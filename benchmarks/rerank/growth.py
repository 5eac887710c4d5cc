"""How time grows with the number of documents: a straight line through the measurements, and what doubling costs."""

from collections.abc import Mapping
from typing import NamedTuple


class Line(NamedTuple):
    """time = `base` + `each` * n, in the unit of the times; `r_squared` is the share of their variance it explains."""

    base: float
    each: float
    r_squared: float


def fitted(times: Mapping[int, float]) -> Line:
    """The least-squares line through times by n. Raises ValueError for fewer than two different n.

    Every point counts alike, so that the largest n decide the slope and R^2: look at `doublings` for the small ones.
    """
    if len(times) < 2:
        raise ValueError(f"a line needs times at two n or more, and there is {len(times)}")
    mean_n, mean_time = sum(times) / len(times), sum(times.values()) / len(times)
    spread = sum((n - mean_n) ** 2 for n in times)
    each = sum((n - mean_n) * (time - mean_time) for n, time in times.items()) / spread
    base = mean_time - each * mean_n
    left = sum((time - base - each * n) ** 2 for n, time in times.items())
    total = sum((time - mean_time) ** 2 for time in times.values())
    return Line(base, each, 1 - left / total if total else 1.0)


def doublings(times: Mapping[int, float]) -> dict[tuple[int, int], float]:
    """By (n, 2n), for every n that was measured at both: time at 2n over time at n. 2 is linear, 4 quadratic."""
    return {(n, 2 * n): times[2 * n] / times[n] for n in sorted(times) if 2 * n in times}
