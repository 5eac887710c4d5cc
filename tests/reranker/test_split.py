"""The split network is the library's own encoder under a mask; split, cached and batched it scores the same."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from contract.errors import BadInput
from reranker import packed
from reranker.encoding import TextEncoder
from reranker.engine import Engine, States
from reranker.network import CrossEncoder
from reranker.shape import keep_units
from reranker.split import SplitNetwork
from reranker.tokens import PairTensors, pair_tensors
from tests.reranker.test_network import CPU, ENCODERS

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=7)


def split(kind: str) -> SplitNetwork:
    torch.manual_seed(3)
    encoder = ENCODERS[kind]().eval()
    for name, weight in encoder.named_parameters():
        if name.endswith("bias"):  # a fresh encoder's are all 0, and would not be missed
            torch.nn.init.normal_(weight, std=0.5)
    keep_units(encoder.encoder.layer[1], 8, (0, 2, 3), range(7, 41))  # pruned
    return SplitNetwork(encoder, np.zeros(3, np.float32), np.ones(3, np.float32)).eval()


def pairs_of(encoder: TextEncoder, query: int, items: list[int], seed: int = 0) -> PairTensors:
    random = np.random.default_rng(seed)
    texts = [tuple(random.integers(5, 100, length).tolist()) for length in (query, *items)]
    return pair_tensors(encoder, texts[:1], texts[1:], [0] * len(items), CPU)


def masked_by_the_library(network: SplitNetwork, library: Any, pairs: PairTensors, depth: int) -> Tensor:
    """[CLS] by the library's own layers, a mask [n, 1, length, length] a layer telling who may look at whom."""
    rows = pairs.laid_out()
    of_item = rows.types.bool() & rows.present
    to_own = of_item[:, :, None] & of_item[:, None, :]
    of_query = ~rows.types.bool() & rows.present
    alone = to_own | (of_query[:, :, None] & of_query[:, None, :])
    sees = alone | (of_item[:, :, None] & of_query[:, None, :])
    hidden = network.embed(rows)
    for place, layer in enumerate(library.encoder.layer):
        allowed = sees if place >= depth else alone
        added = torch.where(allowed, 0.0, torch.finfo(torch.float32).min)[:, None]
        found = layer(hidden, attention_mask=added)
        hidden = found[0] if isinstance(found, tuple) else found
    return hidden[:, 0]


@pytest.mark.parametrize("kind", ENCODERS)
@settings(max_examples=20, deadline=None)
@given(query=st.integers(0, 20), items=LENGTHS, depth=st.integers(0, 2))
def test_the_split_network_is_the_library_under_the_mask(
    kind: str, query: int, items: list[int], depth: int, encoder: TextEncoder
) -> None:
    network, pairs = split(kind), pairs_of(encoder, query, items)
    with torch.no_grad(), network.at_depth(depth):
        found = network.encode(pairs)
        wanted = masked_by_the_library(network, network.encoder, pairs, depth)
    assert torch.allclose(found, wanted, atol=1e-4)


def engine_cls(engine: Engine, pairs: PairTensors, depth: int, chunk: int) -> Tensor:
    """Item states made in chunks, then met by the query in chunks."""
    out = []
    answers = engine.queries(pairs.queries, depth)
    for start in range(0, len(pairs.of), chunk):
        items = pairs.items._replace(
            ids=pairs.items.ids[start : start + chunk], lengths=pairs.items.lengths[start : start + chunk]
        )
        [rows], lengths = engine.states(items, [depth])
        out.append(engine.cls(answers, [len(lengths)], States(rows, lengths, None), depth))
    return torch.cat(out)


@pytest.mark.parametrize("kind", ENCODERS)
@settings(max_examples=25, deadline=None)
@given(query=st.integers(0, 20), items=LENGTHS, depth=st.integers(0, 2), chunk=st.integers(1, 8))
def test_split_cached_and_batched_is_the_same_as_whole(
    kind: str, query: int, items: list[int], depth: int, chunk: int, encoder: TextEncoder
) -> None:
    network, pairs = split(kind), pairs_of(encoder, query, items)
    with torch.inference_mode(), network.at_depth(depth):
        assert torch.allclose(engine_cls(Engine(network), pairs, depth, chunk), network.encode(pairs), atol=1e-4)


def many_pairs(encoder: TextEncoder, queries: list[tuple[int, list[int]]]) -> PairTensors:
    """Queries of so many tokens, each with items of so many, one query's after another's."""
    random = np.random.default_rng(0)
    texts = [tuple(random.integers(5, 100, length).tolist()) for length, _ in queries]
    items = [tuple(random.integers(5, 100, length).tolist()) for _, lengths in queries for length in lengths]
    of = [place for place, (_, lengths) in enumerate(queries) for _ in lengths]
    return pair_tensors(encoder, texts, items, of, CPU)


MANY = st.lists(st.tuples(st.integers(0, 20), LENGTHS), min_size=1, max_size=4)


@pytest.mark.parametrize("kind", ENCODERS)
@settings(max_examples=20, deadline=None)
@example(queries=[(3, [4, 4]), (9, [4])], depth=0, in_one=True)  # all items of one length
@given(queries=MANY, depth=st.integers(0, 2), in_one=st.booleans())
def test_queries_scored_together_are_the_same_as_whole(
    kind: str, queries: list[tuple[int, list[int]]], depth: int, in_one: bool, encoder: TextEncoder
) -> None:
    """`in_one`: as on a GPU."""
    network, pairs = split(kind), many_pairs(encoder, queries)
    engine = Engine(network)
    with torch.inference_mode(), network.at_depth(depth), pytest.MonkeyPatch.context() as patch:
        if in_one:
            patch.setattr(packed, "_beside_queries", packed._in_one)
        [rows], lengths = engine.states(pairs.items, [depth])
        counts = [len(items) for _, items in queries]
        found = engine.cls(engine.queries(pairs.queries, depth), counts, States(rows, lengths, None), depth)
        assert torch.allclose(found, network.encode(pairs), atol=1e-4)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ENCODERS)
@settings(max_examples=15, deadline=None)
@given(query=st.integers(0, 20), items=LENGTHS, depth=st.integers(0, 2))
def test_in_half_precision_cls_is_where_it_was(
    kind: str, half: torch.dtype, query: int, items: list[int], depth: int, encoder: TextEncoder
) -> None:
    """Within 5e-3 of its length for fp16; bf16 has 3 bits less: 8 times that, and twice for a rare text."""
    network, pairs = split(kind), pairs_of(encoder, query, items)
    with torch.inference_mode(), network.at_depth(depth):
        exact = network.encode(pairs)
        network.encoder.to(half)
        found = engine_cls(Engine(network), pairs, depth, 64).float()
    distance = (found - exact).norm(dim=1) / exact.norm(dim=1)
    assert float(distance.max()) < (5e-3 if half is torch.float16 else 8e-2)


@pytest.mark.parametrize("number", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_what_is_no_number_stays_with_its_item(number: torch.dtype, depth: int, encoder: TextEncoder) -> None:
    """Beside longer ones, which it is padded to, and shorter ones, which it pads."""
    network, pairs = split("bert"), pairs_of(encoder, 4, [5, 2, 7, 1])
    network.encoder.to(number)
    engine = Engine(network)
    with torch.inference_mode():
        [rows], lengths = engine.states(pairs.items, [depth])
        queries = engine.queries(pairs.queries, depth)
        wanted = engine.cls(queries, [4], States(rows, lengths, None), depth)
        for broken in range(4):
            first = int(lengths[:broken].sum())
            spoilt = rows.clone()
            spoilt[first : first + int(lengths[broken])] = torch.nan
            found = engine.cls(queries, [4], States(spoilt, lengths, None), depth)
            assert found.isnan().all(1).tolist() == [place == broken for place in range(4)]
            others = [place for place in range(4) if place != broken]
            assert torch.equal(found[others], wanted[others])


def test_below_its_depth_an_item_does_not_know_its_query(encoder: TextEncoder) -> None:
    network = split("bert")
    one, other = pairs_of(encoder, 7, [3, 5], seed=1), pairs_of(encoder, 7, [3, 5], seed=2)
    other = other._replace(items=one.items)
    with torch.inference_mode():
        assert torch.equal(network.item_states(one.items, 2), network.item_states(other.items, 2))
        for depth in range(3):
            with network.at_depth(depth):
                assert not torch.allclose(network.encode(one), network.encode(other), atol=1e-4)


def test_a_query_is_read_once_for_all_of_its_items(encoder: TextEncoder) -> None:
    network, pairs = split("bert"), pairs_of(encoder, 9, [3] * 6)
    rows: list[int] = []
    network.encoder.encoder.layer[0].attention.self.query.register_forward_hook(
        lambda _, inputs, __: rows.append(len(inputs[0]))
    )
    with torch.inference_mode():
        network.encode(pairs)
    assert sorted(rows) == [1, 6]


def test_training_goes_through_every_depth_and_evaluation_through_one(encoder: TextEncoder) -> None:
    torch.manual_seed(0)
    network, pairs = split("bert"), pairs_of(encoder, 9, [3, 4])
    with torch.no_grad():
        fixed = {tuple(network.encode(pairs)[:, 0].tolist()) for _ in range(8)}
        network.train()
        network.encoder.eval()  # no dropout
        drawn = {tuple(network.encode(pairs)[:, 0].tolist()) for _ in range(40)}
    assert len(fixed) == 1
    assert len(drawn) == 2  # depths 1 and 2 of three layers


def test_a_depth_that_shows_no_layer_the_query_is_refused() -> None:
    with pytest.raises(BadInput, match="depth 3 of a network of 3 layers: from 0 to 2"), split("bert").at_depth(3):
        pass


def test_a_split_network_shares_the_weights_it_is_made_of() -> None:
    whole = CrossEncoder(ENCODERS["bert"]().eval(), np.zeros(3, np.float32), np.ones(3, np.float32)).eval()
    ours = SplitNetwork.of(whole)
    with torch.no_grad():
        whole.text.weight.fill_(7)
        assert float(ours.text.weight[0, 0]) == 7
    assert set(ours.state_dict()) - set(whole.state_dict()) == {"state_scale"}
    assert not ours.training
