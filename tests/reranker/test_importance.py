"""Importance is measured: it finds what was made worthless, and says what a removal would really cost."""

import copy

import numpy as np
import pytest
import torch

from contract.errors import BadInput
from jobs.model.dataset import as_example
from reranker.distillation import distillation_loss, taught, teacher_loss
from reranker.encoding import TextEncoder
from reranker.examples import Batch, Example, collate
from reranker.importance import Loss, layers_by_depth, width_importance
from reranker.network import CrossEncoder
from reranker.pruning import Cut, pruned
from tests.colour_shop import queries
from tests.reranker.conftest import PLAN


@pytest.fixture(scope="module")
def batches(lessons: list[Example], encoder: TextEncoder) -> list[Batch]:
    return [collate([example], encoder, torch.device("cpu")) for example in lessons[:6]]


def mean_loss(network: CrossEncoder, batches: list[Batch], loss: Loss = distillation_loss) -> float:
    with torch.inference_mode():
        return float(np.mean([loss(b.grids(network(b.pairs, b.features)), b).item() for b in batches]))


def idle(network: CrossEncoder, place: int) -> CrossEncoder:
    """A copy whose layer `place` passes on what it gets."""
    lazy = copy.deepcopy(network)
    layer = lazy.encoder.encoder.layer[place]
    with torch.no_grad():
        for part in (layer.attention.output, layer.output):
            part.dense.weight.zero_()
            part.dense.bias.zero_()
    return lazy


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_layer_that_does_nothing_is_the_first_to_go(teacher: CrossEncoder, encoder: TextEncoder, place: int) -> None:
    lazy = idle(teacher, place)
    own = taught(lazy, [as_example(query, encoder) for query in queries(6)], encoder, PLAN)
    kept = layers_by_depth(lazy, 3, [collate(own, encoder, torch.device("cpu"))], teacher_loss)
    assert kept == {4: [0, 1, 2, 3], 3: [other for other in range(4) if other != place]}


def test_each_layer_to_go_is_the_one_that_costs_least(teacher: CrossEncoder, batches: list[Batch]) -> None:
    kept = layers_by_depth(teacher, 1, batches, teacher_loss)
    for depth in (3, 2, 1):
        choices = {}
        for place in kept[depth + 1]:
            student = pruned(teacher, Cut(tuple(other for other in kept[depth + 1] if other != place)))
            choices[place] = mean_loss(student, batches, teacher_loss)
        gone = set(kept[depth + 1]) - set(kept[depth])
        assert gone == {min(choices, key=choices.__getitem__)}


@pytest.mark.parametrize("keep", [0, 5])
def test_a_student_has_a_layer_and_no_more_than_its_teacher(
    teacher: CrossEncoder, batches: list[Batch], keep: int
) -> None:
    with pytest.raises(BadInput, match=f"student of {keep} layers: the teacher has 4"):
        layers_by_depth(teacher, keep, batches, teacher_loss)


def test_units_without_effect_have_no_importance(teacher: CrossEncoder, batches: list[Batch]) -> None:
    mute = copy.deepcopy(teacher)
    with torch.no_grad():
        mute.encoder.encoder.layer[2].attention.output.dense.weight[:, 8:16] = 0
        mute.encoder.encoder.layer[1].output.dense.weight[:, 5] = 0
    found = width_importance(mute, batches, distillation_loss)
    assert found[2].heads[1] == 0
    assert found[1].neurons[5] == 0
    assert sum(int((one.heads == 0).sum() + (one.neurons == 0).sum()) for one in found) == 2


def test_importance_is_the_slope_of_the_loss(teacher: CrossEncoder, batches: list[Batch]) -> None:
    """One neuron weakened by a hundredth: the loss of a query moves by a hundredth of the neuron's importance."""
    one = batches[:1]
    found = width_importance(teacher, one, distillation_loss)[1]
    neuron = int(found.neurons.argmax())
    weaker = copy.deepcopy(teacher)
    with torch.no_grad():
        weaker.encoder.encoder.layer[1].output.dense.weight[:, neuron] *= 0.99
    moved = abs(mean_loss(weaker, one) - mean_loss(teacher, one))
    assert moved == pytest.approx(0.01 * found.neurons[neuron], rel=0.1)


def test_measuring_leaves_the_network_trainable_and_without_hooks(teacher: CrossEncoder, batches: list[Batch]) -> None:
    before = mean_loss(teacher, batches)
    width_importance(teacher, batches, distillation_loss)
    assert all(weight.requires_grad for weight in teacher.parameters())
    assert mean_loss(teacher, batches) == before
