"""Boosted trees as a feature: learned from other queries than they score, the same again after a trip through bytes."""

import numpy as np
import pytest

from contract.errors import ArtifactMismatch
from reranker.boosting import FOLDS, Trees, fit_trees, fold_of

RANDOM = np.random.default_rng(1)
IDS = [f"query {number}" for number in range(120)]
# The second column says what is taken, the others nothing.
FEATURES = [RANDOM.normal(size=(12, 3)).astype(np.float32) for _ in IDS]
LABELS = [(rows[:, 1] > 0.8).astype(np.float32) for rows in FEATURES]


@pytest.fixture(scope="module")
def trees() -> Trees:
    found = fit_trees(IDS, FEATURES, LABELS, rounds=10, seed=3, threads=1)
    assert found is not None
    return found


def test_what_is_taken_scores_higher(trees: Trees) -> None:
    assert trees.score(np.array([[0, 2, 0], [0, -2, 0]], np.float32)).argmax() == 0


def test_a_query_in_training_is_scored_by_trees_that_have_not_seen_it() -> None:
    """The labels are noise in one fold: what was learned there must show in no score of the other."""
    noise = [RANDOM.permutation(one) if fold_of(id) == 0 else one for id, one in zip(IDS, LABELS, strict=True)]
    plain = fit_trees(IDS, FEATURES, LABELS, rounds=10, seed=3, threads=1)
    noisy = fit_trees(IDS, FEATURES, noise, rounds=10, seed=3, threads=1)
    assert plain is not None
    assert noisy is not None
    of_first = next(id for id in IDS if fold_of(id) == 0)
    of_second = next(id for id in IDS if fold_of(id) == 1)
    rows = FEATURES[0]
    assert noisy.held_out(rows, of_first).tolist() == plain.held_out(rows, of_first).tolist()
    assert noisy.held_out(rows, of_second).tolist() != plain.held_out(rows, of_second).tolist()


def test_a_score_is_the_mean_over_the_folds(trees: Trees) -> None:
    per_fold = {fold_of(id): trees.held_out(FEATURES[0], id) for id in IDS}
    assert len(per_fold) == FOLDS
    assert trees.score(FEATURES[0]) == pytest.approx(np.mean(list(per_fold.values()), axis=0), abs=1e-6)


def test_bytes_bring_the_same_scores_back(trees: Trees) -> None:
    again = Trees.unpacked(trees.packed(), 3)
    assert again.score(FEATURES[1]).tolist() == trees.score(FEATURES[1]).tolist()
    assert again.score(np.zeros((0, 3), np.float32)).shape == (0,)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'["tree", "tree"]', b"[1, 2]"])
def test_what_is_no_forest_is_refused(raw: bytes) -> None:
    with pytest.raises(ArtifactMismatch, match="its trees"):
        Trees.unpacked(raw, 3)


def test_trees_of_other_features_are_refused(trees: Trees) -> None:
    with pytest.raises(ArtifactMismatch, match="are not 2 of 4 features"):
        Trees.unpacked(trees.packed(), 4)


def test_where_nothing_was_taken_there_are_none() -> None:
    nothing = [np.zeros(12, np.float32) for _ in IDS]
    assert fit_trees(IDS, FEATURES, nothing, rounds=10, seed=3, threads=1) is None
    assert fit_trees(IDS[:1], FEATURES[:1], LABELS[:1], rounds=10, seed=3, threads=1) is None
