"""How much of the catalogue a ranker shows, and how far from what everybody buys it is."""

from collections.abc import Mapping

import msgspec
import numpy as np

from jobs.model.quality import Rankings

PLACES = 10


class Variety(msgspec.Struct, frozen=True):
    """Of the first ten of every query. `coverage`: share of the catalogue that is shown at all. `novelty`: mean
    surprise of an item shown, -log2 of the share of sessions that hold it, in bits (Zhou et al. 2010).
    """

    coverage: float
    novelty: float


def variety(rankings: Rankings, sessions_of: Mapping[str, int], sessions: int, catalogue: int) -> Variety:
    """`sessions_of`: in how many of the `sessions` before the cut each item was; an item in none counts as in one."""
    shown = [item for ranking in rankings.values() for item in ranking[:PLACES]]
    if not shown:
        return Variety(0.0, 0.0)
    shares = np.array([max(sessions_of.get(item, 0), 1) for item in shown]) / max(sessions, 1)
    return Variety(len(set(shown)) / max(catalogue, 1), float(-np.log2(shares).mean()))
