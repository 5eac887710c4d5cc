"""LambdaMART (Burges 2010; LightGBM, MIT) on the dense features of the candidates, with texts and without.

It re-ranks the same candidates as the model, from the same training queries: what it lacks is the text.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contract.errors import BadInput
from contract.features import TEXT_FEATURES
from jobs.model.dataset import Query, names_of
from jobs.model.rankers import reordered
from reranker.boosting import PARAMETERS

ROUNDS = 600
PATIENCE = 40
# Smaller steps than the model's own trees take: a baseline is given its best.
BEST = {**PARAMETERS, "metric": "ndcg", "eval_at": [10], "learning_rate": 0.05}


class LambdaMart:
    """A fitted model of some of the feature columns."""

    def __init__(self, booster: object, columns: NDArray[np.intp]) -> None:
        self._booster = booster
        self._columns = columns

    @staticmethod
    def fit(train: Sequence[Query], validation: Sequence[Query], seed: int, text: bool, threads: int) -> "LambdaMart":
        """Early stopping looks at `validation`. Raises BadInput where no training query has a taken candidate."""
        import lightgbm

        names = names_of(train)
        columns = np.array([place for place, name in enumerate(names) if text or name not in TEXT_FEATURES], np.intp)
        if not any(query.hits.any() for query in train):
            raise BadInput("LambdaMART: no training query has a taken item among its candidates: import more events")

        def dataset(queries: Sequence[Query], like: object = None) -> object:
            listed = [query for query in queries if len(query.candidates)]
            return lightgbm.Dataset(
                np.concatenate([query.features()[:, columns] for query in listed]),
                np.concatenate([query.hits for query in listed]),
                group=[len(query.candidates) for query in listed],
                feature_name=[names[place].replace(":", "_") for place in columns],
                reference=like,
            )

        of_train = dataset(train)
        watched = [query for query in validation if query.hits.any()]
        booster = lightgbm.train(
            {**BEST, "seed": seed, "num_threads": threads},
            of_train,
            ROUNDS if watched else ROUNDS // 4,
            valid_sets=[dataset(watched, of_train)] if watched else [],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)] if watched else [],
        )
        return LambdaMart(booster, columns)

    def scores(self, query: Query) -> NDArray[np.float32]:
        """float32[n], of the query's candidates."""
        if not len(query.candidates):
            return np.zeros(0, np.float32)
        found = self._booster.predict(query.features()[:, self._columns])  # type: ignore[attr-defined]
        return np.asarray(found, np.float32)

    def rankings(self, queries: Sequence[Query]) -> dict[str, tuple[str, ...]]:
        return {query.query_id: reordered(query, self.scores(query)) for query in queries}
