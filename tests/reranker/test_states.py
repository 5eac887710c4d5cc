"""Item states as they are stored, found again, and chosen."""

import logging

import numpy as np
import pytest
import torch

from contract.errors import BadInput, PacesetterError
from contract.states import StateBlock
from jobs.model.dataset import as_example
from reranker import state_choice
from reranker.depth import level_depths, training_depths
from reranker.encoding import TextEncoder
from reranker.engine import Engine
from reranker.shelf import Shelf, Slab, filled, keys_of
from reranker.split import SplitNetwork
from reranker.state_choice import choose_states
from reranker.states import StateCodec, calibrate
from reranker.tokens import ITEM, TextTensors
from tests.colour_shop import queries
from tests.split_model import split_network

CPU = torch.device("cpu")
TEXTS = [(5, 6), (7,), (8, 9, 10), (), (5, 7)]


@pytest.fixture
def network(base, encoder: TextEncoder) -> SplitNetwork:  # type: ignore[no-untyped-def]
    return split_network(base, encoder)


def states(network: SplitNetwork, encoder: TextEncoder) -> list[torch.Tensor]:
    with torch.inference_mode():
        texts = TextTensors.of(encoder.framed(TEXTS), ITEM, CPU)
        return Engine(network).states(texts, list(level_depths(network.layers).values()))[0]


def test_the_levels_of_networks_of_all_sizes() -> None:
    assert level_depths(6) == {"full": 3, "fast": 5}
    assert level_depths(3) == {"full": 1, "fast": 2}
    assert (level_depths(2), level_depths(1)) == ({"full": 1}, {"full": 0})
    assert (list(training_depths(6)), list(training_depths(1))) == ([3, 4, 5], [0])


def test_int8_states_are_within_half_a_unit_of_what_they_were(network: SplitNetwork, encoder: TextEncoder) -> None:
    calibrate(network, encoder, TEXTS)
    codec, exact = StateCodec(network, "int8"), states(network, encoder)
    rows = codec.stored(exact)
    assert (rows.dtype, rows.shape) == (torch.int8, (18, 2 * 32))
    for depth, wanted in zip(codec.depths, exact, strict=True):
        scale = codec.scale(depth)
        assert scale is not None
        found = codec.at(rows, depth).float() * scale
        assert bool(((found - wanted).abs() <= 0.51 * scale + 1e-6).all())
    assert int(rows.abs().amax()) >= 126  # the range is used


def test_what_int8_cannot_hold_is_cut_off(network: SplitNetwork, encoder: TextEncoder) -> None:
    calibrate(network, encoder, TEXTS)
    codec = StateCodec(network, "int8")
    rows = codec.stored([torch.full((1, 32), 1e9), torch.full((1, 32), -1e9)])
    assert rows.tolist() == [[127] * 32 + [-127] * 32]
    assert bool(torch.isfinite(StateCodec(network, "float16").stored([torch.full((1, 32), 1e9)] * 2)).all())


def shelf_of(network: SplitNetwork, annex_tokens: int = 100) -> Shelf:
    return Shelf(codec := StateCodec(network, "float16"), codec.depths, CPU, annex_tokens)


def test_states_come_back_in_the_order_asked_from_slab_and_annex(network: SplitNetwork, encoder: TextEncoder) -> None:
    shelf, keys, exact = shelf_of(network), keys_of(TEXTS), states(network, encoder)
    rows, lengths = shelf.codec.stored(exact), np.array([4, 3, 5, 2, 4], np.int32)
    block = StateBlock("m", "float16", 64, tuple(keys[:3]), lengths[:3], rows[:12].numpy())
    assert shelf.unknown(keys, shelf.slab) == [0, 1, 2, 3, 4]
    shelf.hold(filled(shelf.codec, shelf.depths, [block], 12, CPU))
    assert shelf.unknown(keys, shelf.slab) == [3, 4]
    assert shelf.add(keys[3:], torch.from_numpy(lengths[3:]), rows[12:])
    assert shelf.texts == 5
    starts = np.cumsum(lengths) - lengths
    for chosen in ([0, 1, 2], [3, 4], [4, 0, 3, 2], [1, 1]):
        for place, depth in enumerate(shelf.codec.depths):
            found = shelf.states([keys[text] for text in chosen], depth, shelf.slab)
            wanted = torch.cat([exact[place][starts[text] : starts[text] + lengths[text]] for text in chosen])
            assert torch.allclose(found.rows.float(), wanted, atol=2e-3)
            assert found.lengths.tolist() == lengths[chosen].tolist()


def test_a_full_annex_is_emptied_and_a_text_that_never_fits_is_not_kept(
    network: SplitNetwork, encoder: TextEncoder
) -> None:
    shelf, keys = shelf_of(network, annex_tokens=6), keys_of(TEXTS)
    rows = shelf.codec.stored(states(network, encoder))
    assert shelf.add(keys[:1], torch.tensor([4]), rows[:4])
    assert shelf.add(keys[1:2], torch.tensor([3]), rows[4:7])
    assert shelf.unknown(keys[:2], shelf.slab) == [0]
    assert not shelf.add(keys, torch.tensor([4, 3, 5, 2, 4]), rows)
    with pytest.raises(KeyError):
        shelf.states(keys[:1], shelf.codec.depths[0], shelf.slab)


def test_a_slab_takes_only_blocks_of_its_form_and_of_the_size_announced(network: SplitNetwork) -> None:
    codec = StateCodec(network, "float16")
    rows = np.zeros((3, 64), np.float16)
    good = StateBlock("m", "float16", 64, (b"k" * 16,), np.array([3], np.int32), rows)
    assert filled(codec, codec.depths, [good], 3, CPU).nbytes == 3 * 64 * 2
    with pytest.raises(ValueError, match="more than the 2 tokens"):
        filled(codec, codec.depths, [good], 2, CPU)
    for other in (
        StateBlock("m", "int8", 64, good.keys, good.lengths, rows.astype(np.int8)),
        StateBlock("m", "float16", 32, good.keys, good.lengths, rows[:, :32]),
    ):
        with pytest.raises(ValueError, match="the model has float16 x 64"):
            filled(codec, codec.depths, [other], 3, CPU)
    assert Slab(codec, codec.depths, 0, CPU).nbytes == 0


def test_int8_is_taken_where_scores_stay_what_they_are(
    network: SplitNetwork, encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    examples = [as_example(query, encoder) for query in queries(4)]
    monkeypatch.setattr(state_choice, "CORRELATION", 0.9)
    with caplog.at_level(logging.INFO):
        found = choose_states(network, encoder, examples, "m")
    assert (found.kind, found.depths, found.width) == ("int8", (2, 3), 64)
    assert 0.9 <= found.correlation < 1
    assert f"{found.correlation:.5f}" in caplog.text
    monkeypatch.setattr(state_choice, "CORRELATION", 1.1)
    assert choose_states(network, encoder, examples, "m").kind == "float16"


def test_a_state_that_is_no_number_is_refused(network: SplitNetwork, encoder: TextEncoder) -> None:
    calibrate(network, encoder, TEXTS)
    for kind in ("int8", "float16"):
        with pytest.raises(PacesetterError, match="an item state is no finite number"):
            StateCodec(network, kind).stored([torch.full((1, 32), float("nan"))] * 2)  # type: ignore[arg-type]


def test_nothing_to_calibrate_on_is_refused(network: SplitNetwork, encoder: TextEncoder) -> None:
    with pytest.raises(BadInput, match="nothing to calibrate on"):
        choose_states(network, encoder, [], "m")
