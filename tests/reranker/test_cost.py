"""Operations of the split network are those that torch counts."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from reranker.cost import Lengths, split_flops, unit_costs
from reranker.encoding import TextEncoder
from reranker.engine import Engine, States
from reranker.shape import layer_costs
from tests.reranker.test_split import pairs_of, split


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_operations_a_pair_are_what_the_engine_computes(depth: int, encoder: TextEncoder) -> None:
    network, pairs = split("bert"), pairs_of(encoder, 10, [14] * 4)  # 64 tokens: none is made up
    engine = Engine(network)
    with torch.inference_mode():
        [rows], lengths = engine.states(pairs.items, [depth])
        with FlopCounterMode(display=False) as counted:
            answers = engine.queries(pairs.queries, depth)
            engine.cls(answers, [4], States(rows, lengths, None), depth)
    channels = sum((32, 24)[depth:])  # of the layers that compute all tokens; the second is pruned
    # torch counts neither products that are added in place, as of an item's own values, nor a CPU's flash attention, as
    # of the query's layers.
    mixing, flash = 2 * 16 * 16 * channels, 4 * 12 * 12 * (32 + 24)
    assert counted.get_total_flops() + flash == 4 * (split_flops(network, depth, Lengths(12, 16, 4)) - mixing)


def test_a_deeper_state_costs_less_and_the_last_layer_next_to_nothing() -> None:
    lengths = Lengths(96, 32, 100)
    half, last = (sum(cost.neuron for cost in unit_costs(384, 32, 6, depth, lengths)) for depth in (3, 5))
    whole = sum(cost.neuron for cost in layer_costs(384, 32, 6, lengths.pair))
    assert whole / half == pytest.approx(9.3, abs=0.2)
    assert whole / last == pytest.approx(110, abs=2)
    assert np.isclose(lengths.pair, 128)
