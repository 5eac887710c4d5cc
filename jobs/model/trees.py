"""The trees of a training: fitted on the dense features of its queries, read without their texts."""

import numpy as np

from contract.settings import Training
from jobs.model.stream import QueryStream
from reranker.boosting import Trees, fit_trees

# 2 million rows at 100 candidates: 200 MB of features, however many queries there are. Trees gain little from more.
TREE_QUERIES = 20_000


def trees_of(stream: QueryStream, training: Training, seed: int) -> Trees | None:
    """None where the setting says so, or where the queries have nothing to teach."""
    if not training.trees:
        return None
    rows = sorted(
        ((query.query_id, query.features(), query.hits) for query in stream.each(TREE_QUERIES)),
        key=lambda row: row[0],
    )
    ids, features, labels = zip(*rows, strict=True)
    if not all(np.isfinite(one).all() for one in features):
        return None  # jobs.model.dataset.as_example says which, where the query is trained on
    return fit_trees(ids, features, labels, training.trees, seed, training.threads)
