"""What a split network's parts cost a pair, in floating-point operations; a multiply-add is two."""

from typing import NamedTuple

from reranker.shape import LayerCost, head_size, shape_of
from reranker.split import SplitNetwork


class Lengths(NamedTuple):
    """Mean tokens of a query and of an item, special ones counted, and candidates of a query."""

    query: float
    item: float
    candidates: float

    @property
    def pair(self) -> float:
        return self.query + self.item


def unit_costs(hidden: int, size: int, layers: int, depth: int, lengths: Lengths) -> list[LayerCost]:
    """The cost of a head, of `size` channels, and of a neuron in each layer at `depth`, a pair.

    Items' states are there; what the query costs is shared by its candidates. The last layer meets the items' tokens
    with [CLS]'s question carried through the key's weights (reranker.packed.Alone).
    """
    costs = []
    shared, item, seen = lengths.query / lengths.candidates, lengths.item, lengths.pair
    for place in range(layers):
        last = place == layers - 1
        head = size * 4 * shared * hidden if last else size * (8 * shared * hidden + 4 * shared * lengths.query)
        neuron = 0.0 if last else 4 * shared * hidden
        if last:
            head += size * (8 * hidden + 4 * lengths.query) + 4 * item * hidden
            neuron += 4 * hidden
        elif place >= depth:
            head += size * (8 * item * hidden + 4 * item * seen)
            neuron += 4 * item * hidden
        costs.append(LayerCost(head, neuron))
    return costs


def split_flops(network: SplitNetwork, depth: int, lengths: Lengths) -> float:
    """Operations a pair of the layers' matrix products at `depth`: nearly all there are."""
    shape, size = shape_of(network), head_size(network.encoder)
    costs = unit_costs(network.encoder.config.hidden_size, size, len(shape), depth, lengths)
    return sum(layer.heads * cost.head + layer.neurons * cost.neuron for layer, cost in zip(shape, costs, strict=True))
