from pathlib import Path

import numpy as np
import pytest
import torch

from contract.errors import PacesetterError
from jobs.model.dataset import as_example
from reranker.encoding import TextEncoder
from reranker.examples import Example, collate, sample_candidates
from reranker.network import CrossEncoder, Scores
from reranker.start import start_network
from reranker.steps import rate_share
from reranker.training import TrainingPlan, label_loss, listwise, score_examples, train
from tests.colour_shop import queries

PLAN = TrainingPlan(
    epochs=1,
    candidates=6,
    batch_queries=4,
    encoder_rate=1e-3,
    head_rate=3e-3,
    frozen_layers=0,
    seed=5,
    device="cpu",
    threads=1,
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def examples(encoder: TextEncoder) -> list[Example]:
    return [as_example(query, encoder) for query in queries(32)]


@pytest.fixture
def fresh(base: Path, encoder: TextEncoder, examples: list[Example]) -> CrossEncoder:
    return start_network(base, encoder, examples, seed=5)


def plan(**changes: object) -> TrainingPlan:
    return TrainingPlan(**{**PLAN.__dict__, **changes})


def mean_loss(network: CrossEncoder, examples: list[Example], encoder: TextEncoder) -> float:
    with torch.no_grad():
        batch = collate(examples, encoder, CPU)
        return float(label_loss(batch.grids(network(batch.pairs, batch.features)), batch))


def test_the_listwise_loss_is_the_cross_entropy_with_the_labels_share() -> None:
    scores = torch.tensor([[0.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 0.0]])
    labels = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])  # nothing was taken in the second query
    assert float(listwise(scores, labels)) == pytest.approx(np.log(4))


def test_lists_of_other_lengths_do_not_touch_each_other(encoder: TextEncoder, examples: list[Example]) -> None:
    long, short = examples[0], examples[1].take(np.array([0, 4, 5]))
    scores = Scores(torch.arange(12.0), torch.zeros(12))
    together = collate([long, short], encoder, CPU)
    grid = together.grid(scores.final)
    assert grid[0].tolist() == list(range(9))
    assert grid[1, :3].tolist() == [9, 10, 11]
    assert torch.softmax(grid, 1)[1, 3:].sum() == 0
    assert together.labels[1].tolist() == [*short.labels.tolist(), *[0.0] * 6]


def test_training_learns_what_goes_together(fresh: CrossEncoder, examples: list[Example], encoder: TextEncoder) -> None:
    before = mean_loss(fresh, examples, encoder)
    losses = train(fresh, examples, encoder, label_loss, plan(epochs=4), "test").losses
    assert len(losses) == 4 * 8
    assert mean_loss(fresh, examples, encoder) < before - 0.1


def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    base: Path, encoder: TextEncoder, examples: list[Example]
) -> None:
    def weights(seed: int) -> tuple[list[float], torch.Tensor]:
        network = start_network(base, encoder, examples, seed)
        losses = train(network, examples, encoder, label_loss, plan(seed=seed), "test").losses
        return losses, torch.cat([weight.flatten() for weight in network.state_dict().values()])

    (losses, once), (_, again), (_, other) = weights(5), weights(5), weights(6)
    assert torch.equal(once, again)
    assert len(set(losses)) > 1
    assert not torch.equal(once, other)


def test_frozen_parts_stay_and_the_others_move(
    fresh: CrossEncoder, examples: list[Example], encoder: TextEncoder
) -> None:
    before = {name: weight.clone() for name, weight in fresh.state_dict().items()}
    train(fresh, examples[:8], encoder, label_loss, plan(frozen_layers=2), "test")
    moved = {name for name, weight in fresh.state_dict().items() if not torch.equal(weight, before[name])}
    assert not any(
        name.startswith(("encoder.embeddings", "encoder.encoder.layer.0", "encoder.encoder.layer.1")) for name in moved
    )
    assert any(name.startswith("encoder.encoder.layer.2") for name in moved)
    assert "linear.weight" in moved
    assert all(weight.requires_grad for weight in fresh.parameters())


def test_minus_one_trains_the_embeddings_too(
    fresh: CrossEncoder, examples: list[Example], encoder: TextEncoder
) -> None:
    before = fresh.encoder.embeddings.word_embeddings.weight.clone()
    train(fresh, examples[:8], encoder, label_loss, plan(frozen_layers=-1), "test")
    assert not torch.equal(fresh.encoder.embeddings.word_embeddings.weight, before)


def test_half_precision_trains_alike_and_keeps_float32_weights(
    base: Path, encoder: TextEncoder, examples: list[Example]
) -> None:
    losses = {}
    for precision in ("float32", "bfloat16"):
        network = start_network(base, encoder, examples, seed=5)
        losses[precision] = train(network, examples, encoder, label_loss, plan(precision=precision), "test").losses
        assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], abs=0.1)


def test_a_loss_that_is_no_number_ends_the_training_with_advice(
    fresh: CrossEncoder, examples: list[Example], encoder: TextEncoder
) -> None:
    with torch.no_grad():
        fresh.text.weight.fill_(float("inf"))
    with pytest.raises(PacesetterError, match=r"teacher: the loss became nan at step 1 of 8: lower PACE_TRAINING"):
        train(fresh, examples, encoder, label_loss, PLAN, "teacher")


def test_scoring_examples_gives_both_scores_of_every_candidate(
    fresh: CrossEncoder, examples: list[Example], encoder: TextEncoder
) -> None:
    nothing = examples[1].take(np.array([], int))
    found = score_examples(fresh, [examples[0], nothing], encoder, plan(precision="float32"), "test")
    assert [scores.shape for scores in found] == [(9, 2), (0, 2)]
    batch = collate(examples[:1], encoder, CPU)
    with torch.no_grad():
        assert np.allclose(found[0][:, 0], fresh(batch.pairs, batch.features).final.numpy(), atol=1e-4)


def test_a_draw_holds_positives_and_others_in_the_lists_order() -> None:
    labels = np.array([0, 1, 0, 0, 1, 0, 0, 0, 1, 0], np.float32)
    example = Example((1,), tuple((n,) for n in range(10)), np.zeros((10, 1), np.float32), labels)
    drawn = sample_candidates(example, 4, np.random.default_rng(0))
    assert drawn.labels.sum() == 2  # three were taken: at most half of four are positives
    assert len(drawn.items) == 4
    assert list(drawn.items) == sorted(drawn.items)
    assert all(labels[item] == label for (item,), label in zip(drawn.items, drawn.labels, strict=True))


def test_a_draw_wider_than_the_list_is_the_whole_list() -> None:
    labels = np.array([0, 1, 0], np.float32)
    example = Example((1,), ((0,), (1,), (2,)), np.zeros((3, 1), np.float32), labels)
    assert sample_candidates(example, 50, np.random.default_rng(0)).items == example.items


def test_the_rate_rises_then_falls_to_nearly_nothing() -> None:
    shares = [rate_share(step, 20, 0.1) for step in range(20)]
    assert shares[:2] == [0.5, 1.0]
    assert shares[2:] == sorted(shares[2:], reverse=True)
    assert 0 < shares[-1] < 0.06
    assert rate_share(0, 1, 0.1) == 1.0
