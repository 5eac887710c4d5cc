from pathlib import Path

import numpy as np
import pytest
import torch

from contract.errors import BadInput
from jobs.model.dataset import as_example
from reranker.encoding import TextEncoder
from reranker.examples import Example, collate
from reranker.network import CrossEncoder
from reranker.pruning import distil, distillation_loss, divergence, kept_layers, prune_layers, with_teacher
from reranker.start import start_network
from reranker.training import TrainingPlan, label_loss, score_examples, train
from tests.colour_shop import queries

PLAN = TrainingPlan(
    epochs=3,
    candidates=9,
    batch_queries=4,
    encoder_rate=1e-3,
    head_rate=3e-3,
    frozen_layers=0,
    seed=5,
    device="cpu",
    threads=1,
)


@pytest.fixture(scope="module")
def examples(encoder: TextEncoder) -> list[Example]:
    return [as_example(query, encoder) for query in queries(48)]


@pytest.fixture(scope="module")
def teacher(base: Path, encoder: TextEncoder, examples: list[Example]) -> CrossEncoder:
    network = start_network(base, encoder, examples, seed=5)
    train(network, examples[:32], encoder, label_loss, PLAN, "teacher")
    return network


def kl(one: CrossEncoder, other: CrossEncoder, examples: list[Example], encoder: TextEncoder, score: int) -> float:
    """KL(other || one) of the final (0) or the text (1) score, a list at a time."""
    pair = [score_examples(network, examples, encoder, PLAN, "test") for network in (one, other)]
    lists = [torch.from_numpy(np.stack([found[:, score] for found in scores])) for scores in pair]
    return float(divergence(*lists))


@pytest.mark.parametrize(
    ("layers", "keep", "kept"),
    [(6, 3, [0, 2, 5]), (6, 6, [0, 1, 2, 3, 4, 5]), (12, 4, [0, 3, 7, 11]), (6, 2, [0, 5]), (6, 1, [0])],
)
def test_layers_are_kept_evenly(layers: int, keep: int, kept: list[int]) -> None:
    assert kept_layers(layers, keep) == kept


@pytest.mark.parametrize("keep", [0, 7])
def test_a_student_has_a_layer_and_no_more_than_its_teacher(keep: int) -> None:
    with pytest.raises(BadInput, match=f"student of {keep} layers: the teacher has 6"):
        kept_layers(6, keep)


def test_a_student_of_all_layers_scores_as_its_teacher(
    teacher: CrossEncoder, examples: list[Example], encoder: TextEncoder
) -> None:
    assert kl(prune_layers(teacher, 4), teacher, examples[:4], encoder, 0) == pytest.approx(0, abs=1e-7)


def test_pruning_leaves_the_teacher_as_it_was(teacher: CrossEncoder) -> None:
    student = prune_layers(teacher, 2)
    assert (student.layers, student.encoder.config.num_hidden_layers) == (2, 2)
    assert (teacher.layers, teacher.encoder.config.num_hidden_layers) == (4, 4)
    with torch.no_grad():
        student.linear.weight.zero_()
    assert teacher.linear.weight.abs().sum() > 0


def test_distillation_brings_the_student_back_to_its_teacher_on_lists_it_has_not_seen(
    teacher: CrossEncoder, examples: list[Example], encoder: TextEncoder
) -> None:
    seen, unseen = examples[:32], examples[32:]
    pruned = prune_layers(teacher, 2)
    student, losses = distil(teacher, 2, seen, encoder, PLAN)
    assert student.layers == 2
    assert losses["loss"] < losses["loss_first"]
    for score in (0, 1):
        assert kl(student, teacher, unseen, encoder, score) < 0.7 * kl(pruned, teacher, unseen, encoder, score)


def test_the_distillation_loss_is_least_for_the_teachers_own_scores(
    teacher: CrossEncoder, examples: list[Example], encoder: TextEncoder
) -> None:
    few = examples[:4]
    batch = collate(
        with_teacher(few, score_examples(teacher, few, encoder, PLAN, "test")), encoder, torch.device("cpu")
    )
    with torch.no_grad():
        own = batch.grids(teacher(batch.pairs, batch.features))
        other = batch.grids(prune_layers(teacher, 1)(batch.pairs, batch.features))
    assert float(distillation_loss(own, batch)) == pytest.approx(0.5 * float(label_loss(own, batch)), abs=1e-5)
    assert float(distillation_loss(other, batch)) - 0.5 * float(label_loss(other, batch)) > 0.01


def test_examples_without_a_teacher_are_a_mistake(
    teacher: CrossEncoder, examples: list[Example], encoder: TextEncoder
) -> None:
    batch = collate(examples[:2], encoder, torch.device("cpu"))
    with torch.no_grad(), pytest.raises(ValueError, match="needs examples with a teacher"):
        distillation_loss(batch.grids(teacher(batch.pairs, batch.features)), batch)
