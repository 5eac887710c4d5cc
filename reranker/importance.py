"""What each layer, head and neuron is worth: measured by what the distillation loss would be, or do, without it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from contract.errors import BadInput
from reranker.examples import Batch
from reranker.layers import run_layer, run_layers
from reranker.network import CrossEncoder
from reranker.shape import head_size
from reranker.steps import Loss


@dataclass(frozen=True, eq=False)
class LayerImportance:
    """float64[heads] and float64[neurons]: the loss that removing each would cost, to first order."""

    heads: NDArray[np.float64]
    neurons: NDArray[np.float64]


def layers_by_depth(teacher: CrossEncoder, keep: int, batches: Sequence[Batch], loss: Loss) -> dict[int, list[int]]:
    """Which layers stay for each depth, from all of them down to `keep`.

    Greedy: the next layer to go is the one without which the mean loss over `batches` is least. Raises BadInput
    unless 1 <= keep <= the teacher's layers.
    """
    if not 1 <= keep <= teacher.layers:
        raise BadInput(
            f"student of {keep} layers: the teacher has {teacher.layers}; set PACE_TRAINING__STUDENT_LAYERS or "
            "PACE_PRUNE__LAYERS"
        )
    kept = list(range(teacher.layers))
    found = {len(kept): list(kept)}
    with torch.inference_mode():
        while len(kept) > keep:
            without = np.mean([_losses_without(teacher, kept, batch, loss) for batch in batches], 0)
            del kept[int(np.argmin(without))]
            found[len(kept)] = list(kept)
    return found


def _losses_without(network: CrossEncoder, kept: Sequence[int], batch: Batch, loss: Loss) -> list[float]:
    """The loss without each of the layers `kept`; what lies below the one left out is computed once."""
    layers = [network.encoder.encoder.layer[place] for place in kept]
    rows = batch.pairs.laid_out()
    present, below = rows.present, [network.embed(rows)]
    for layer in layers[:-1]:
        below.append(run_layer(layer, below[-1], below[-1], present))
    losses = []
    for place in range(len(layers)):
        top = place == len(layers) - 1
        start, rest = (below[place - 1], layers[place - 1 : place]) if top else (below[place], layers[place + 1 :])
        scores = network.judge(run_layers(rest, start, present), batch.features)
        losses.append(float(loss(batch.grids(scores), batch)))
    return losses


def width_importance(network: CrossEncoder, batches: Sequence[Batch], loss: Loss) -> list[LayerImportance]:
    """The importance of every head and neuron: |dloss/dgate|, a gate of 1 on each channel, averaged over `batches`.

    Molchanov et al. 2017; Michel et al. 2019 gate heads. A head counts the sum over its channels, so that heads and
    groups of neurons are told in one currency. A batch of one query each is the most exact: within a batch
    gradients of opposite sign cancel out.
    """
    size, total = head_size(network.encoder), None
    network.requires_grad_(False)
    try:
        for batch in batches:
            with _gates(network) as gates:
                scores = network(batch.pairs, batch.features)
                found = torch.autograd.grad(loss(batch.grids(scores), batch), gates)
            slopes = [gradient.abs().double().cpu().numpy() / len(batches) for gradient in found]
            total = slopes if total is None else [sum(pair) for pair in zip(total, slopes, strict=True)]
    finally:
        network.requires_grad_(True)
    if total is None:
        raise ValueError("importance needs at least one batch")
    return [
        LayerImportance(heads.reshape(-1, size).sum(1), neurons)
        for heads, neurons in zip(total[::2], total[1::2], strict=True)
    ]


@contextmanager
def _gates(network: CrossEncoder) -> Iterator[list[Tensor]]:
    """Within, gates of 1 multiply each layer's attention channels and neurons: two gates a layer, in that order."""
    parts = [
        linear
        for layer in network.encoder.encoder.layer
        for linear in (layer.attention.output.dense, layer.output.dense)
    ]
    gates = [torch.ones(part.in_features, device=part.weight.device, requires_grad=True) for part in parts]
    hooks = [_multiply_input(part, gate) for part, gate in zip(parts, gates, strict=True)]
    try:
        yield gates
    finally:
        for hook in hooks:
            hook.remove()


def _multiply_input(part: torch.nn.Module, gate: Tensor) -> RemovableHandle:
    return part.register_forward_pre_hook(lambda _, inputs: (inputs[0] * gate, *inputs[1:]))
