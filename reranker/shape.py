"""How many heads and neurons each layer of an encoder has, what that costs, and how to give a layer fewer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from contract.errors import BadInput
from reranker.manifest import LayerShape
from reranker.network import CrossEncoder

Shape = tuple[LayerShape, ...]


class LayerCost(NamedTuple):
    """Floating-point operations that one head and one neuron take for a pair; a multiply-add is two."""

    head: float
    neuron: float


def head_size(encoder: Any) -> int:
    """Channels of one head; pruning leaves it as it is."""
    return int(encoder.encoder.layer[0].attention.self.attention_head_size)


def shape_of(network: CrossEncoder) -> Shape:
    """The shape of every layer."""
    size = head_size(network.encoder)
    return tuple(
        LayerShape(layer.attention.self.query.out_features // size, layer.intermediate.dense.out_features)
        for layer in network.encoder.encoder.layer
    )


def layer_costs(hidden: int, size: int, layers: int, tokens: float) -> list[LayerCost]:
    """The cost of a unit in each layer, for pairs of `tokens` tokens; `size` is that of a head.

    The last layer computes [CLS] alone: there only keys and values are computed for every token.
    """
    whole = LayerCost(size * (8 * tokens * hidden + 4 * tokens**2), 4 * tokens * hidden)
    last = LayerCost(size * (4 * tokens * hidden + 4 * hidden + 4 * tokens), 4 * hidden)
    return [whole] * (layers - 1) + [last]


def flops(network: CrossEncoder, tokens: float) -> float:
    """Operations of the layers' matrix products for a pair of `tokens` tokens: nearly all there are."""
    shape = shape_of(network)
    costs = layer_costs(network.encoder.config.hidden_size, head_size(network.encoder), len(shape), tokens)
    return sum(layer.heads * cost.head + layer.neurons * cost.neuron for layer, cost in zip(shape, costs, strict=True))


def parameters(network: CrossEncoder) -> int:
    """Weights of the whole network; most are the token embeddings, which cost no time."""
    return sum(weight.numel() for weight in network.parameters())


def set_shape(encoder: Any, shape: Sequence[LayerShape]) -> None:
    """Give the encoder's layers a shape, to load weights into: which heads and neurons stay is not defined.

    Raises BadInput where a layer would have none, or more than it has.
    """
    size = head_size(encoder)
    for place, (layer, wanted) in enumerate(zip(encoder.encoder.layer, shape, strict=True)):
        has = LayerShape(layer.attention.self.query.out_features // size, layer.intermediate.dense.out_features)
        if not (1 <= wanted.heads <= has.heads and 1 <= wanted.neurons <= has.neurons):
            raise BadInput(f"shape of layer {place} is {tuple(wanted)}: of {tuple(has)} heads and neurons, or fewer")
        keep_units(layer, size, range(wanted.heads), range(wanted.neurons))


def keep_units(layer: Any, size: int, heads: Sequence[int], neurons: Sequence[int]) -> None:
    """Leave a layer only these of its heads, of `size` channels each, and of its neurons."""
    channels = torch.tensor([head * size + channel for head in heads for channel in range(size)])
    chosen = torch.tensor(list(neurons))
    attention = layer.attention.self
    for part in (attention.query, attention.key, attention.value):
        _keep_outputs(part, channels)
    _keep_inputs(layer.attention.output.dense, channels)
    _keep_outputs(layer.intermediate.dense, chosen)
    _keep_inputs(layer.output.dense, chosen)


def _keep_outputs(linear: nn.Linear, rows: Tensor) -> None:
    linear.weight = nn.Parameter(linear.weight.detach()[rows].clone())
    linear.bias = nn.Parameter(linear.bias.detach()[rows].clone())
    linear.out_features = len(rows)


def _keep_inputs(linear: nn.Linear, columns: Tensor) -> None:
    linear.weight = nn.Parameter(linear.weight.detach()[:, columns].clone())
    linear.in_features = len(columns)
