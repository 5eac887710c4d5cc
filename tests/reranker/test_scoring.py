from pathlib import Path

import numpy as np
import pytest
import torch

from contract.codec import CandidateList
from contract.errors import ArtifactMismatch
from contract.records import ItemRecord
from reranker.artifact import Artifact, read_artifact
from reranker.golden import TOLERANCE_FLOAT32, TOLERANCE_HALF, compare
from reranker.limits import Limits
from reranker.loading import build_reranker, load_reranker
from reranker.precision import half_type, pick_device
from reranker.prepared import PairScores
from reranker.scoring import Reranker
from tests.colour_shop import CATALOGUE, query

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def artifact(exported: Path) -> Artifact:
    return read_artifact(exported)


@pytest.fixture(scope="module")
def reranker(exported: Path) -> Reranker:
    return load_reranker(exported, "cpu", 1)


def exact(artifact: Artifact, batch_pairs: int = 64) -> Reranker:
    return build_reranker(artifact, CPU, None, Limits(batch_pairs))


def test_a_loaded_model_says_what_it_is(reranker: Reranker, exported: Path) -> None:
    assert reranker.version == exported.name
    assert reranker.feature_view == reranker.manifest.feature_view
    assert reranker.ndcg10 == 0.25


def test_golden_queries_score_as_they_did_at_export(artifact: Artifact) -> None:
    golden = artifact.golden()
    ours = exact(artifact)
    for question, answer in zip(golden, ours.answer(golden), strict=True):
        assert np.allclose(answer.final, question.final, atol=1e-5)
        assert np.allclose(answer.text, question.text, atol=1e-5)
    assert np.std([score for question in golden for score in question.text]) > 0.05


def test_scores_do_not_depend_on_the_batches_or_the_candidates_order(artifact: Artifact) -> None:
    found = query(3)
    arguments = found.user, found.context
    whole = exact(artifact).score(*arguments, found.candidates, found.items, found.sources)
    for batch_pairs in (1, 2, 5):
        split = exact(artifact, batch_pairs).score(*arguments, found.candidates, found.items, found.sources)
        assert np.allclose(split, whole, atol=1e-5)
    assert whole.std() > 0.01


def test_a_candidates_text_score_depends_on_no_other_candidate(artifact: Artifact) -> None:
    found, ours = query(3), exact(artifact)
    order = np.random.default_rng(0).permutation(len(found.candidates))
    there = ours.run(ours.prepare(found.user, found.context, found.candidates, found.items, found.sources))
    moved = ours.run(ours.prepare(found.user, found.context, found.candidates.take(order), found.items, found.sources))
    assert np.allclose(moved.text, there.text[order], atol=1e-5)


def test_bf16_scores_are_within_the_tolerance_of_golden_ones(artifact: Artifact) -> None:
    golden = artifact.golden()
    half = build_reranker(artifact, CPU, torch.bfloat16)
    answers = half.answer(golden)
    worst = compare(golden, answers, TOLERANCE_HALF)
    assert TOLERANCE_FLOAT32 < worst < TOLERANCE_HALF  # it really was computed in bf16
    assert answers[0].final.dtype == np.float32


def test_nothing_to_score_is_no_scores(reranker: Reranker) -> None:
    found = query(1)
    assert reranker.score(found.user, found.context, CandidateList.empty(2), found.items, found.sources).shape == (0,)


def test_an_item_or_user_that_nobody_knows_has_a_score(reranker: Reranker) -> None:
    candidates = CandidateList.of([("nobody-knows", 0, (0.5, 0.5)), ("red-mug", 0, (0.5, 0.5))], 2)
    scores = reranker.score(None, [], candidates, CATALOGUE, ("helpful", "noise"))
    assert np.isfinite(scores).all()
    assert scores[0] != scores[1]


def test_a_source_that_the_model_does_not_know_changes_nothing(reranker: Reranker) -> None:
    found = query(2)
    known, arguments = found.candidates, (found.user, found.context)
    columns = np.column_stack((known.scores[:, 1], np.full(len(known), 9.0, np.float32), known.scores[:, 0]))
    other = CandidateList(known.item_ids, known.source, columns)  # reordered, and one new source
    assert np.allclose(
        reranker.score(*arguments, other, found.items, ("noise", "brand_new", "helpful")),
        reranker.score(*arguments, known, found.items, found.sources),
        atol=1e-6,
    )


def test_the_context_is_read_newest_first_and_changes_the_scores(reranker: Reranker) -> None:
    found = query(5)
    one = reranker.score(found.user, found.context, found.candidates, found.items, found.sources)
    other = reranker.score(found.user, found.context[::-1], found.candidates, found.items, found.sources)
    assert not np.allclose(one, other, atol=1e-4)


def test_hostile_texts_have_a_score(reranker: Reranker) -> None:
    texts = {
        "empty": "",
        "surrogate": "\ud800\udfff",
        "long": "mug " * 500_000,
        "control": "\x00\x01\u202e",
        "special": "[CLS] [SEP] [PAD] [MASK]",
    }
    items = {item_id: ItemRecord(item_id, title, price=float("nan")) for item_id, title in texts.items()}
    candidates = CandidateList.of(((item_id, 0, (0.1, 0.1)) for item_id in items), 2)
    scores = reranker.score(None, tuple(items.values()), candidates, items, ("helpful", "noise"))
    assert np.isfinite(scores).all()


def test_warming_up_changes_no_score(reranker: Reranker) -> None:
    found = query(4)
    before = reranker.score(found.user, found.context, found.candidates, found.items, found.sources)
    reranker.warm_up()
    after = reranker.score(found.user, found.context, found.candidates, found.items, found.sources)
    assert np.array_equal(before, after)


def test_golden_scores_that_are_missing_or_no_numbers_are_refused(artifact: Artifact) -> None:
    golden = artifact.golden()
    answers = exact(artifact).answer(golden)
    with pytest.raises(ArtifactMismatch, match="golden pairs: 18 final scores wanted, 17 found"):
        compare(golden, [*answers[:-1], PairScores(answers[-1].final[:-1], answers[-1].text)], 1.0)
    wrong = answers[0]._replace(text=np.full_like(answers[0].text, np.nan))
    with pytest.raises(ArtifactMismatch, match="golden pairs: 18 text scores wanted, 12 found"):
        compare(golden, [wrong, *answers[1:]], 1.0)


def test_a_device_or_precision_is_as_set_and_float32_where_half_does_not_pay() -> None:
    assert pick_device("cpu") == CPU
    assert half_type(CPU, "float32") is None
    assert half_type(CPU, "bfloat16") is torch.bfloat16
    assert half_type(CPU) in (None, torch.bfloat16)
