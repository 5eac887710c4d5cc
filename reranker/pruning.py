"""Structured pruning: a student keeps the layers, heads and neurons of its teacher that are worth their time."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import nn

from contract.errors import BadInput
from reranker.importance import LayerImportance
from reranker.network import CrossEncoder
from reranker.shape import LayerCost, head_size, keep_units

# Neurons go in blocks: a product of an odd width takes as long as one of the next multiple of this.
BLOCK = 64
LEAST_BLOCKS = 8


class KeptUnits(NamedTuple):
    """Heads and neurons of a layer that stay, by their places, ascending."""

    heads: tuple[int, ...]
    neurons: tuple[int, ...]


class _Unit(NamedTuple):
    """A head, or a block of neurons, with what it is worth and what it costs a pair."""

    layer: int
    part: str
    places: tuple[int, ...]
    importance: float
    cost: float


class Cut(NamedTuple):
    """What stays of a teacher: its layers at these places, and these units of each; all of them for None."""

    layers: tuple[int, ...]
    units: tuple[KeptUnits, ...] | None = None


def pruned(teacher: CrossEncoder, cut: Cut) -> CrossEncoder:
    """A copy of `teacher` that is cut, with its whole head; the teacher stays as it is."""
    student = copy.deepcopy(teacher)
    chosen = [student.encoder.encoder.layer[place] for place in cut.layers]
    size = head_size(student.encoder)
    for layer, units in zip(chosen, cut.units or (), strict=cut.units is not None):
        keep_units(layer, size, units.heads, units.neurons)
    student.encoder.encoder.layer = nn.ModuleList(chosen)
    student.encoder.config.num_hidden_layers = len(chosen)
    return student


def kept_units(
    importance: Sequence[LayerImportance], width: float, costs: Sequence[LayerCost]
) -> tuple[KeptUnits, ...]:
    """The heads and neurons that stay when the layers may cost a share `width` of what they do.

    Over all layers at once: what is worth least for its operations goes first, heads one by one and neurons in blocks;
    a layer keeps at least one of each. `costs` are those of a head and of a neuron in each layer (reranker.cost, or
    reranker.shape.layer_costs): so layers differ, and those that cost little lose little. Raises BadInput unless
    0 < width <= 1.
    """
    if not 0 < width <= 1:
        raise BadInput(f"width {width} of a student: a share above 0 and at most 1; set PACE_PRUNE__WIDTHS")
    units = _units(importance, costs)
    allowed = width * sum(unit.cost for unit in units)
    left = {(unit.layer, unit.part): 0 for unit in units}
    for unit in units:
        left[unit.layer, unit.part] += 1
    cost, gone = sum(unit.cost for unit in units), set()
    for unit in sorted(units, key=lambda unit: unit.importance / unit.cost):
        if cost <= allowed * (1 + 1e-9):
            break
        if left[unit.layer, unit.part] > 1:
            left[unit.layer, unit.part] -= 1
            cost -= unit.cost
            gone.add(unit)
    kept: dict[tuple[int, str], list[int]] = {}
    for unit in units:
        if unit not in gone:
            kept.setdefault((unit.layer, unit.part), []).extend(unit.places)
    return tuple(
        KeptUnits(tuple(sorted(kept[layer, "heads"])), tuple(sorted(kept[layer, "neurons"])))
        for layer in range(len(importance))
    )


def _units(importance: Sequence[LayerImportance], costs: Sequence[LayerCost]) -> list[_Unit]:
    """All heads and all blocks of neurons; a block holds neurons of about one importance."""
    units = []
    for layer, (one, cost) in enumerate(zip(importance, costs, strict=True)):
        units += [_Unit(layer, "heads", (head,), float(value), cost.head) for head, value in enumerate(one.heads)]
        block = block_size(len(one.neurons))
        order = np.argsort(-one.neurons, kind="stable")
        for start in range(0, len(order), block):
            places = order[start : start + block]
            value = float(one.neurons[places].sum())
            units.append(_Unit(layer, "neurons", tuple(places.tolist()), value, cost.neuron * len(places)))
    return units


def block_size(neurons: int) -> int:
    """Neurons that go together: BLOCK where a layer has LEAST_BLOCKS of them, else a smaller power of two."""
    size = BLOCK
    while size > 1 and (neurons % size or neurons < LEAST_BLOCKS * size):
        size //= 2
    return size
