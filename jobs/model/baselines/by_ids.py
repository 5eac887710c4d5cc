"""Rankings of the whole catalogue by who chose what, without text and without our candidates.

item-kNN and ALS are those of the library `implicit` (MIT), by cosine and by Hu, Koren, Volinsky 2008; session-kNN is
V-SKNN (Ludewig, Jannach 2018) without its decay over the positions of a session.
"""

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from contract.merge import never_proposed
from jobs.model.baselines.interactions import Interactions
from jobs.model.dataset import Query

LENGTH = 100
NEIGHBOURS = 200
FACTORS = 64
# Of the sessions that share an item with the query only the latest are compared.
RECENT_SESSIONS = 1000
SESSION_NEIGHBOURS = 100

Rankings = dict[str, tuple[str, ...]]


def item_knn(past: Interactions, queries: Sequence[Query], repeats: bool = True) -> Rankings:
    """Summed cosine of each item to what the query tells."""
    from implicit.nearest_neighbours import CosineRecommender

    def fitted(rows: sparse.csr_matrix) -> sparse.csr_matrix:
        model = CosineRecommender(K=NEIGHBOURS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it turns its own matrix into CSR
            model.fit(rows, show_progress=False)
        return model.similarity

    # Each only where a query asks for it: a dataset may have no users, and a task no context.
    by_context, by_history = cache(lambda: fitted(past.sessions)), cache(lambda: fitted(past.users))

    def scores(query: Query, known: sparse.csr_matrix) -> NDArray[np.float32]:
        return (known @ (by_context() if query.context else by_history())).toarray().ravel()

    return _ranked(past, queries, scores, repeats)


def als(past: Interactions, queries: Sequence[Query], seed: int, repeats: bool = True) -> Rankings:
    """Factors of sessions for baskets, of users for next visits; a query is folded in from what it tells."""
    from implicit.als import AlternatingLeastSquares

    def fitted(rows: sparse.csr_matrix) -> AlternatingLeastSquares:
        with threadpool_limits(1, "blas"):  # it has threads of its own, and the two together crawl
            model = AlternatingLeastSquares(factors=FACTORS, regularization=0.05, alpha=10.0, random_state=seed)
            model.fit(rows, show_progress=False)
        return model

    of_context, of_history = cache(lambda: fitted(past.sessions)), cache(lambda: fitted(past.users))

    def scores(query: Query, known: sparse.csr_matrix) -> NDArray[np.float32]:
        model = of_context() if query.context else of_history()
        vector = np.asarray(model.recalculate_user(np.array([0]), known)).reshape(-1)
        return np.asarray(model.item_factors) @ vector

    return _ranked(past, queries, scores, repeats)


def session_knn(past: Interactions, queries: Sequence[Query], repeats: bool = True) -> Rankings:
    """Items of the sessions most like what the query tells, each by its likeness."""
    sessions = past.sessions
    by_item = sessions.tocsc()
    rarity = np.log(sessions.shape[0] / np.maximum(past.baskets, 1)).astype(np.float32)
    norms = np.sqrt(np.asarray(sessions.sum(1)).ravel())

    def scores(query: Query, known: sparse.csr_matrix) -> NDArray[np.float32]:
        sharing = np.unique(np.concatenate([by_item[:, item].indices for item in known.indices]))[-RECENT_SESSIONS:]
        weights = known.multiply(rarity).toarray().ravel()
        likeness = (sessions[sharing] @ weights) / norms[sharing]
        nearest = np.argsort(-likeness, kind="stable")[:SESSION_NEIGHBOURS]
        return sessions[sharing[nearest]].T @ likeness[nearest].astype(np.float32)

    return _ranked(past, queries, scores, repeats)


def _ranked(
    past: Interactions,
    queries: Iterable[Query],
    scores: Callable[[Query, sparse.csr_matrix], NDArray[np.float32]],
    repeats: bool,
) -> Rankings:
    """The LENGTH best items that the context does not hold, above 0; nothing for a query that tells nothing known.

    Without `repeats` (of the scenario) nothing of the user's past either.
    """
    out: Rankings = {}
    for query in queries:
        known = past.known(query)
        if not known.nnz:
            out[query.query_id] = ()
            continue
        found = np.asarray(scores(query, known), np.float32).ravel().copy()
        history = query.user.history if query.user else ()
        hidden = never_proposed([item.item_id for item in query.context], history, repeats)
        found[[past.column[item_id] for item_id in hidden if item_id in past.column]] = 0.0
        if not repeats:
            found[known.indices] = 0.0
        best = np.argsort(-found, kind="stable")[:LENGTH]
        out[query.query_id] = past.ids(best[found[best] > 0])
    return out
