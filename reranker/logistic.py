"""A listwise logistic model of the dense features alone: where the network starts, and a baseline."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from contract.errors import BadInput
from reranker.network import FEATURE_CLIP
from reranker.training import listwise

RIDGE = 1e-3


def feature_scale(features: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of each column over all rows; a constant column gets deviation 1.

    Raises BadInput where a column holds NaN or infinity.
    """
    rows = np.concatenate(list(features)).astype(np.float64)
    if not np.isfinite(rows).all():
        raise BadInput(
            f"dense features: columns {np.flatnonzero(~np.isfinite(rows).all(0)).tolist()} hold NaN or infinity"
        )
    deviation = rows.std(0)
    return rows.mean(0).astype(np.float32), np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32)


def fit_logistic(
    features: Sequence[NDArray[np.float32]],
    labels: Sequence[NDArray[np.float32]],
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
) -> NDArray[np.float32]:
    """float32[columns]: weights of the standardised features that minimise the listwise loss with a small ridge.

    `features[i]` float32[n_i, columns] and `labels[i]` float32[n_i] belong to query i.
    """
    longest = max(len(rows) for rows in features)
    grid = torch.zeros(len(features), longest, features[0].shape[1])
    mask = torch.zeros(len(features), longest, dtype=torch.bool)
    target = torch.zeros(len(features), longest)
    for query, (rows, taken) in enumerate(zip(features, labels, strict=True)):
        grid[query, : len(rows)] = torch.from_numpy(((rows - mean) / std).clip(-FEATURE_CLIP, FEATURE_CLIP))
        mask[query, : len(rows)] = True
        target[query, : len(rows)] = torch.from_numpy(taken)
    weights = torch.zeros(grid.shape[2], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        scores = (grid @ weights).masked_fill(~mask, torch.finfo(torch.float32).min)
        loss = listwise(scores, target) + RIDGE * weights.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    found: NDArray[np.float32] = weights.detach().numpy()
    return found
