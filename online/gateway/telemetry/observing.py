"""Many observations of a histogram at once."""

import numpy as np
from numpy.typing import NDArray
from prometheus_client import Histogram


def observe_all(histogram: Histogram, values: NDArray[np.float64]) -> None:
    """As `observe` of each value, which are numbers, at the cost of a few: prometheus_client has no such call, so this
    one adds to its buckets itself (a test holds both equal)."""
    places = np.searchsorted(histogram._upper_bounds, values)
    for place, count in enumerate(np.bincount(places).tolist()):
        if count:
            histogram._buckets[place].inc(count)
    histogram._sum.inc(float(values.sum()))
