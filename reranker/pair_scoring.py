"""Scores a query's items with a whole cross-encoder, which reads the query again with every item."""

import numpy as np
import torch

from reranker.encoding import TextEncoder
from reranker.network import CrossEncoder
from reranker.prepared import PairScores, PreparedQuery
from reranker.tokens import pair_tensors


class PairScorer:
    """In batches of pairs of like length."""

    def __init__(self, network: CrossEncoder, encoder: TextEncoder, device: torch.device) -> None:
        self._network, self._encoder, self._device = network, encoder, device

    def scores(self, asked: PreparedQuery, batch_pairs: int) -> PairScores:
        out = np.zeros((2, len(asked.items)), np.float32)
        order = np.argsort([len(item) for item in asked.items], kind="stable")
        for start in range(0, len(order), batch_pairs):
            rows = order[start : start + batch_pairs]
            items = [asked.items[row] for row in rows]
            pairs = pair_tensors(self._encoder, [asked.query], items, [0] * len(rows), self._device)
            scores = self._network(pairs, torch.from_numpy(asked.features[rows]).to(self._device))
            out[:, rows] = torch.stack(scores).cpu().numpy()
        return PairScores(*out)
