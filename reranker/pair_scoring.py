"""Scores a query's items with a whole cross-encoder, which reads the query again with every item."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from reranker.encoding import TextEncoder
from reranker.network import CrossEncoder
from reranker.tokens import pair_tensors


class PairScorer:
    """In batches of pairs of like length."""

    def __init__(self, network: CrossEncoder, encoder: TextEncoder, device: torch.device) -> None:
        self._network, self._encoder, self._device = network, encoder, device

    def scores(
        self,
        query: tuple[int, ...],
        items: Sequence[tuple[int, ...]],
        features: NDArray[np.float32],
        batch_pairs: int,
    ) -> NDArray[np.float32]:
        """float32[2, n]: final and text score of each item; `features` float32[n, features]."""
        out = np.zeros((2, len(items)), np.float32)
        order = np.argsort([len(item) for item in items], kind="stable")
        for start in range(0, len(items), batch_pairs):
            rows = order[start : start + batch_pairs]
            pairs = pair_tensors(self._encoder, [query], [items[row] for row in rows], [0] * len(rows), self._device)
            scores = self._network(pairs, torch.from_numpy(features[rows]).to(self._device))
            out[:, rows] = torch.stack(scores).cpu().numpy()
        return out
