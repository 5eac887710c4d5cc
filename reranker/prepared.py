"""A query that is ready for the network, and what it gets."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class PreparedQuery:
    """A query's token ids, its n candidates' token ids, and their features, float32[n, features]."""

    query: tuple[int, ...]
    items: tuple[tuple[int, ...], ...]
    features: NDArray[np.float32]


class PairScores(NamedTuple):
    """float32[n] each: what orders the slate, and what the texts alone say."""

    final: NDArray[np.float32]
    text: NDArray[np.float32]
