"""A student comes back to its teacher."""

import numpy as np
import pytest
import torch

from jobs.model.dataset import as_example
from reranker.distillation import distillation_loss, divergence, matching_states, recover, state_loss
from reranker.encoding import TextEncoder
from reranker.examples import Example, collate
from reranker.network import CrossEncoder
from reranker.pruning import Cut, KeptUnits, pruned
from reranker.training import label_loss, score_examples
from tests.colour_shop import queries
from tests.reranker.conftest import PLAN

CUT = Cut((0, 3), (KeptUnits((0, 2), tuple(range(40))), KeptUnits((0, 1, 3), tuple(range(48)))))
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def unseen(encoder: TextEncoder) -> list[Example]:
    return [as_example(query, encoder) for query in queries(16, first=32)]


def kl(one: CrossEncoder, other: CrossEncoder, examples: list[Example], encoder: TextEncoder, score: int) -> float:
    """KL(other || one) of the final (0) or the text (1) score, a list at a time."""
    pair = [score_examples(network, examples, encoder, PLAN, "test") for network in (one, other)]
    lists = [torch.from_numpy(np.stack([found[:, score] for found in scores])) for scores in pair]
    return float(divergence(*lists))


def test_recovery_brings_a_student_back_to_its_teacher_on_lists_it_has_not_seen(
    teacher: CrossEncoder, lessons: list[Example], unseen: list[Example], encoder: TextEncoder
) -> None:
    student = pruned(teacher, CUT)
    before = [kl(student, teacher, unseen, encoder, score) for score in (0, 1)]
    losses = recover(student, lessons, encoder, PLAN, 0.0)
    assert losses["loss"] < losses["loss_first"]
    for score in (0, 1):
        assert kl(student, teacher, unseen, encoder, score) < 0.7 * before[score]


def test_a_teacher_tells_its_own_scores_and_states(
    teacher: CrossEncoder, lessons: list[Example], encoder: TextEncoder
) -> None:
    found = score_examples(teacher, lessons[:3], encoder, PLAN, "test")
    for example, scores in zip(lessons[:3], found, strict=True):
        assert np.allclose(example.teacher, scores, atol=1e-4)
    batch = collate(lessons[:3], encoder, CPU)
    with torch.inference_mode():
        assert torch.allclose(teacher.encode(batch.pairs), batch.states, atol=2e-3)


def test_taken_candidates_keep_their_scores_and_states(lessons: list[Example]) -> None:
    taken = lessons[0].take(np.array([3, 1]))
    assert np.array_equal(taken.teacher, lessons[0].teacher[[3, 1]])
    assert np.array_equal(taken.states, lessons[0].states[[3, 1]])


def test_the_distillation_loss_is_least_for_the_teachers_own_scores(
    teacher: CrossEncoder, lessons: list[Example], encoder: TextEncoder
) -> None:
    batch = collate(lessons[:4], encoder, CPU)
    with torch.no_grad():
        own = batch.grids(teacher(batch.pairs, batch.features))
        other = batch.grids(pruned(teacher, Cut((0,)))(batch.pairs, batch.features))
    assert float(distillation_loss(own, batch)) == pytest.approx(0.5 * float(label_loss(own, batch)), abs=1e-5)
    assert float(distillation_loss(other, batch)) - 0.5 * float(label_loss(other, batch)) > 0.01


def test_matching_states_adds_the_distance_of_what_the_head_reads(
    teacher: CrossEncoder, lessons: list[Example], encoder: TextEncoder
) -> None:
    batch = collate(lessons[:4], encoder, CPU)
    student = pruned(teacher, CUT)
    with torch.no_grad(), matching_states(student, 0.5) as loss:
        scores = batch.grids(student(batch.pairs, batch.features))
        found = float(loss(scores, batch) - distillation_loss(scores, batch))
        apart = float(state_loss(student.encode(batch.pairs), batch.states))
    assert found == pytest.approx(0.5 * apart, rel=1e-4)
    assert apart > 0.05
    assert not student.text._forward_pre_hooks


def test_states_are_nearer_where_they_are_matched(
    teacher: CrossEncoder, lessons: list[Example], unseen: list[Example], encoder: TextEncoder
) -> None:
    batch = collate(unseen, encoder, CPU)
    apart = {}
    for weight in (0.0, 1.0):
        student = pruned(teacher, CUT)
        recover(student, lessons, encoder, PLAN, weight)
        with torch.inference_mode():
            apart[weight] = float(state_loss(student.encode(batch.pairs), teacher.encode(batch.pairs)))
    assert apart[1.0] < 0.8 * apart[0.0]


def test_examples_without_a_teacher_are_a_mistake(
    teacher: CrossEncoder, unseen: list[Example], encoder: TextEncoder
) -> None:
    batch = collate(unseen[:2], encoder, CPU)
    with torch.no_grad(), pytest.raises(ValueError, match="needs examples with a teacher"):
        distillation_loss(batch.grids(teacher(batch.pairs, batch.features)), batch)
