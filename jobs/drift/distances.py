"""How far a column's values of one day lie from those of another.

PSI, the population stability index (Siddiqi 2006), sums (q - p) ln(q / p) over bins; up to 0.1 is commonly read as no
change, above 0.25 as a large one. KS is the largest distance of the two distribution functions, of numbers alone.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

BINS = 10
# An empty bin counts as so much: one row in ten thousand.
FLOOR = 1e-4

# float64 with NaN where a value is missing, or objects with None.
Values = NDArray[np.float64] | NDArray[np.object_]


def psi(reference: Values, current: Values) -> float:
    """0 where both are alike. Bins are the reference's deciles, or its values where these are few or no numbers; a
    missing value has a bin of its own, and so has a value that such a reference never had.
    """
    cells = _cells(reference)
    p, q = (np.maximum(_shares(values, cells), FLOOR) for values in (reference, current))
    return float(((q - p) * np.log(q / p)).sum())


def ks(reference: Values, current: Values) -> float | None:
    """None where one of the two has no number."""
    if not (_numeric(reference) and _numeric(current)):
        return None
    one, other = (values[~_missing(values)] for values in (reference, current))
    return float(ks_2samp(one, other).statistic) if len(one) and len(other) else None


def _cells(reference: Values) -> tuple[str, NDArray[np.generic]]:
    """How to bin: ("edges", rising bounds) or ("values", the known values)."""
    known = reference[~_missing(reference)]
    distinct = np.unique(known.astype(str)) if not _numeric(reference) else np.unique(known)
    if not _numeric(reference) or len(distinct) <= BINS:
        return "values", distinct
    return "edges", np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))


def _shares(values: Values, cells: tuple[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    """The share of rows in every bin; the last is of missing values, of `values` the one before it of unknown ones."""
    kind, bounds = cells
    missing = _missing(values)
    known = values[~missing]
    if kind == "edges":
        place = np.searchsorted(bounds, known.astype(np.float64), side="left")
    else:
        as_kept = known.astype(bounds.dtype if bounds.dtype.kind == "f" else str)
        place = np.searchsorted(bounds, as_kept)
        there = np.minimum(place, max(len(bounds) - 1, 0))
        place = np.where(bounds[there] == as_kept, there, len(bounds)) if len(bounds) else np.zeros(len(known), int)
    counts = np.bincount(place, minlength=len(bounds) + 1).astype(np.float64)
    return np.append(counts, missing.sum()) / max(len(values), 1)


def _numeric(values: Values) -> bool:
    return values.dtype.kind == "f"


def _missing(values: Values) -> NDArray[np.bool_]:
    if _numeric(values):
        return ~np.isfinite(values.astype(np.float64))
    return np.array([value is None for value in values], bool)
