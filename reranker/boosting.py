"""LambdaMART on the dense features (Burges 2010; LightGBM, MIT): its score is one more feature of the network.

Trees fit counts and cosines better than a small head does, the head adds the texts. A network must not learn from the
scores of trees that have seen the answer: there are as many boosters as FOLDS, each fitted without one fold of the
queries. A query in training is scored by the one that has not seen it, any other by the mean of all.
"""

import json
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from contract.errors import ArtifactMismatch

# The name of the feature; it stands last.
BOOSTED = "boosted"
FOLDS = 2
PARAMETERS: dict[str, Any] = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 20,
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
}


class Trees:
    """Fitted boosters, one a fold that it has not seen."""

    def __init__(self, boosters: Sequence[Any]) -> None:
        self._boosters = tuple(boosters)

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32[n] of float32[n, features], for queries that are not trained on."""
        found: NDArray[np.float32] = np.mean([_predict(one, features) for one in self._boosters], axis=0)
        return found

    def held_out(self, features: NDArray[np.float32], query_id: str) -> NDArray[np.float32]:
        """float32[n], by the booster that was fitted without the query `query_id`."""
        return _predict(self._boosters[fold_of(query_id)], features)

    def packed(self) -> bytes:
        """The boosters in LightGBM's own text form, as JSON."""
        return json.dumps([booster.model_to_string() for booster in self._boosters]).encode()

    @staticmethod
    def unpacked(raw: bytes, features: int) -> "Trees":
        """Raises ArtifactMismatch where `raw` is none of `packed`, or reads another number of features."""
        import lightgbm

        try:
            boosters = [lightgbm.Booster(model_str=str(text)) for text in json.loads(raw)]
        except (ValueError, TypeError, lightgbm.basic.LightGBMError) as error:
            raise ArtifactMismatch(f"its trees do not load: {error}; export the model again") from error
        if len(boosters) != FOLDS or any(booster.num_feature() != features for booster in boosters):
            raise ArtifactMismatch(f"its trees are not {FOLDS} of {features} features; export the model again")
        return Trees(boosters)


def fit_trees(
    query_ids: Sequence[str],
    features: Sequence[NDArray[np.float32]],
    labels: Sequence[NDArray[np.float32]],
    rounds: int,
    seed: int,
    threads: int = 0,
) -> Trees | None:
    """Trees of queries whose candidates have `features` float32[n, columns] and `labels` float32[n], 1 for taken.

    `rounds` a booster; `threads` 0: a thread a core. None where a fold has no query with both a taken candidate and
    another: there is nothing to learn then.
    """
    import lightgbm

    folds = np.array([fold_of(query_id) for query_id in query_ids])
    boosters = []
    for fold in range(FOLDS):
        rows = [row for row in np.flatnonzero(folds != fold).tolist() if 0 < labels[row].sum() < len(labels[row])]
        if not rows:
            return None
        data = lightgbm.Dataset(
            np.concatenate([features[row] for row in rows]),
            np.concatenate([labels[row] for row in rows]),
            group=[len(labels[row]) for row in rows],
        )
        boosters.append(lightgbm.train({**PARAMETERS, "seed": seed, "num_threads": threads}, data, rounds))
    return Trees(boosters)


def fold_of(query_id: str) -> int:
    """Which fold a query belongs to: the same on every machine and in every run."""
    return crc32(query_id.encode()) % FOLDS


def _predict(booster: Any, features: NDArray[np.float32]) -> NDArray[np.float32]:
    if not len(features):
        return np.zeros(0, np.float32)
    found: NDArray[np.float32] = np.asarray(booster.predict(features, num_threads=1), np.float32)
    return found
