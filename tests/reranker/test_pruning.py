"""What is cut from a network, and what stays."""

import copy

import numpy as np
import pytest
import torch

from contract.errors import BadInput
from jobs.model.dataset import as_example
from reranker.encoding import TextEncoder
from reranker.examples import Batch, collate
from reranker.importance import LayerImportance
from reranker.network import CrossEncoder
from reranker.pruning import Cut, KeptUnits, block_size, kept_units, pruned
from reranker.shape import LayerShape, flops, layer_costs, shape_of
from reranker.tokens import pair_tensors
from tests.colour_shop import queries

COSTS = layer_costs(32, 8, 2, 20)
ALL = KeptUnits((0, 1, 2, 3), tuple(range(64)))


@pytest.fixture(scope="module")
def batch(encoder: TextEncoder) -> Batch:
    return collate([as_example(query, encoder) for query in queries(3)], encoder, torch.device("cpu"))


def scores(network: CrossEncoder, batch: Batch) -> torch.Tensor:
    with torch.inference_mode():
        return torch.stack(network(batch.pairs, batch.features))


def test_a_student_of_everything_scores_as_its_teacher(teacher: CrossEncoder, batch: Batch) -> None:
    student = pruned(teacher, Cut((0, 1, 2, 3), (ALL,) * 4))
    assert torch.equal(scores(student, batch), scores(teacher, batch))


def test_pruning_leaves_the_teacher_as_it_was(teacher: CrossEncoder) -> None:
    student = pruned(teacher, Cut((0, 3), (KeptUnits((1,), (5, 6)), ALL)))
    assert (student.layers, student.encoder.config.num_hidden_layers) == (2, 2)
    assert shape_of(student) == (LayerShape(1, 2), LayerShape(4, 64))
    assert (teacher.layers, teacher.encoder.config.num_hidden_layers) == (4, 4)
    assert shape_of(teacher) == (LayerShape(4, 64),) * 4
    with torch.no_grad():
        student.linear.weight.zero_()
    assert teacher.linear.weight.abs().sum() > 0


def test_units_that_give_nothing_are_cut_without_a_trace(teacher: CrossEncoder, batch: Batch) -> None:
    """Head 2 and neurons 8 to 15 of layer 1 are made to have no effect: to cut exactly these changes no score."""
    mute = copy.deepcopy(teacher)
    layer = mute.encoder.encoder.layer[1]
    with torch.no_grad():
        layer.attention.output.dense.weight[:, 16:24] = 0  # four heads of 8 channels
        layer.output.dense.weight[:, 8:16] = 0
    kept = KeptUnits((0, 1, 3), (*range(8), *range(16, 64)))
    student = pruned(mute, Cut((0, 1, 2, 3), (ALL, kept, ALL, ALL)))
    assert shape_of(student)[1] == LayerShape(3, 56)
    assert torch.allclose(scores(student, batch), scores(mute, batch), atol=1e-5)
    other = pruned(mute, Cut((0, 1, 2, 3), (ALL, KeptUnits((0, 2, 3), kept.neurons), ALL, ALL)))
    assert not torch.allclose(scores(other, batch), scores(mute, batch), atol=1e-5)


def importance(heads: list[float], neurons: float) -> LayerImportance:
    return LayerImportance(np.array(heads), np.full(64, neurons / 64))


def test_what_is_worth_least_for_its_time_goes_first() -> None:
    """Two layers of four heads and 64 neurons; the lower one's heads 0 and 3 are worth nearly nothing."""
    found = [importance([0.01, 5, 4, 0.02], 90.0), importance([1, 1, 1, 1], 50.0)]
    kept = kept_units(found, 0.8, COSTS)
    assert kept[0].heads == (1, 2)
    assert len(kept[0].neurons) == 64
    assert kept[1] == ALL


def test_the_last_layer_keeps_more_for_it_costs_little() -> None:
    found = [importance([1, 1, 1, 1], 4.0)] * 2
    lower, last = kept_units(found, 0.5, COSTS)
    assert len(lower.neurons) < 64
    assert len(last.neurons) == 64


@pytest.mark.parametrize("width", [0.9, 0.75, 0.5, 0.25])
def test_the_cost_is_the_share_that_was_asked_for(teacher: CrossEncoder, width: float) -> None:
    random = np.random.default_rng(1)
    found = [LayerImportance(random.random(4), random.random(64)) for _ in range(4)]
    student = pruned(teacher, Cut((0, 1, 2, 3), kept_units(found, width, layer_costs(32, 8, 4, 20))))
    share = flops(student, 20) / flops(teacher, 20)
    assert width - 0.08 < share <= width + 1e-9
    for heads, neurons in shape_of(student):
        assert heads >= 1
        assert neurons % 8 == 0


def test_however_little_may_be_kept_a_layer_keeps_a_head_and_a_block() -> None:
    kept = kept_units([importance([1, 2, 3, 4], 4.0)] * 2, 1e-6, COSTS)
    assert [(units.heads, len(units.neurons)) for units in kept] == [((3,), 8), ((3,), 8)]


@pytest.mark.parametrize("width", [0.0, -1.0, 1.01])
def test_a_width_is_a_share(width: float) -> None:
    with pytest.raises(BadInput, match="PACE_PRUNE__WIDTHS"):
        kept_units([importance([1, 1, 1, 1], 1.0)], width, COSTS[1:])


@pytest.mark.parametrize(("neurons", "block"), [(1536, 64), (512, 64), (256, 32), (64, 8), (6, 1), (100, 4)])
def test_neurons_go_in_blocks_that_hardware_likes(neurons: int, block: int) -> None:
    assert block_size(neurons) == block


def test_operations_are_those_of_the_matrix_products(teacher: CrossEncoder, encoder: TextEncoder) -> None:
    """Counted by torch itself, on a batch without padding; the head's products are not the layers'."""
    from torch.utils.flop_counter import FlopCounterMode

    pairs = pair_tensors(encoder, [(7, 8, 9)], [(5, 6)] * 2, [0, 0], torch.device("cpu"))
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        teacher.encode(pairs)
    assert counter.get_total_flops() == 2 * flops(teacher, 9)
