"""LambdaMART on the colour shop, whose source `helpful` knows a little of what is wanted."""

from dataclasses import replace

import numpy as np
import pytest

from contract.errors import BadInput
from jobs.model.baselines.lambdamart import LambdaMart
from jobs.model.quality import measure
from jobs.model.rankers import candidate_order
from tests.colour_shop import queries

TRAIN, VALIDATION, TEST = queries(200), queries(40, 200), queries(60, 240)
LABELS = {query.query_id: query.labels for query in TEST}


def test_it_learns_which_feature_helps() -> None:
    ranked = LambdaMart.fit(TRAIN, VALIDATION, 1, text=True, threads=1).rankings(TEST)
    assert measure(ranked, LABELS).ndcg10.mean() > measure(candidate_order(TEST), LABELS).ndcg10.mean() + 0.05


def test_without_text_it_does_not_see_the_content_score() -> None:
    def with_text_score(number: int, query):
        """`noise` becomes `content`, and tells what is wanted."""
        scores = query.candidates.scores.copy()
        scores[:, 1] = query.hits
        return replace(query, sources=("helpful", "content"), candidates=replace(query.candidates, scores=scores))

    train, test = ([with_text_score(*pair) for pair in enumerate(some)] for some in (TRAIN, TEST))
    blind = LambdaMart.fit(train, [], 1, text=False, threads=1)
    seeing = LambdaMart.fit(train, [], 1, text=True, threads=1)
    assert measure(seeing.rankings(test), LABELS).ndcg10.mean() > measure(blind.rankings(test), LABELS).ndcg10.mean()
    hidden = [replace(one, candidates=replace(one.candidates, scores=one.candidates.scores * [1, 0])) for one in test]
    assert all(np.array_equal(blind.scores(a), blind.scores(b)) for a, b in zip(test, hidden, strict=True))


def test_the_same_seed_gives_the_same_scores() -> None:
    one, other = (LambdaMart.fit(TRAIN, VALIDATION, 3, text=True, threads=2) for _ in range(2))
    assert all(np.array_equal(one.scores(query), other.scores(query)) for query in TEST)


def test_without_a_positive_it_says_what_to_do() -> None:
    nothing = [replace(query, labels=frozenset({"elsewhere"})) for query in TRAIN]
    with pytest.raises(BadInput, match="no training query has a taken item among its candidates"):
        LambdaMart.fit(nothing, [], 1, text=True, threads=1)
