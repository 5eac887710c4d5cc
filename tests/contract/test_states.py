"""Blocks of item states: what goes in comes out, and 100 of 100 damages are refused."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import CorruptValue
from contract.states import BLOCK_TEXTS, StateBlock, decode_block, encode_block, state_block_id, text_key


def block_of(lengths: list[int], width: int = 3, kind: str = "int8", seed: int = 0, model: str = "m1") -> StateBlock:
    random = np.random.default_rng(seed)
    rows = random.integers(-127, 128, (sum(lengths), width))
    keys = tuple(text_key([seed, place]) for place in range(len(lengths)))
    return StateBlock(model, kind, width, keys, np.array(lengths, np.int32), rows.astype(kind))  # type: ignore[arg-type]


@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=20),
    width=st.integers(1, 40),
    kind=st.sampled_from(["int8", "float16"]),
    model=st.text(max_size=30).filter(lambda text: text.isprintable()),
)
def test_a_block_comes_back(lengths: list[int], width: int, kind: str, model: str) -> None:
    block = block_of(lengths, width, kind, model=model)
    found = decode_block(encode_block(block))
    assert (found.model, found.kind, found.width, found.keys) == (block.model, kind, width, block.keys)
    assert found.lengths.tolist() == lengths
    assert np.array_equal(found.rows, block.rows)
    assert found.rows.dtype == np.dtype(kind)
    assert found.tokens == sum(lengths)


def test_100_of_100_damages_are_refused() -> None:
    whole, random = encode_block(block_of([4, 7, 2, 9], 16)), np.random.default_rng(7)
    for number in range(100):
        damaged = bytearray(whole)
        if number % 2:
            damaged[random.integers(len(whole))] ^= 1 << int(random.integers(8))
        else:
            del damaged[int(random.integers(len(whole))) :]
        with pytest.raises(CorruptValue, match="publish again"):
            decode_block(bytes(damaged))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rows": np.full((3, 2), np.nan, np.float16)}, "no finite number"),
        ({"keys": (b"k" * 16, b"k" * 16), "lengths": np.array([1, 2], np.int32)}, "stands in them twice"),
    ],
)
def test_states_that_are_wrong_and_well_sealed_are_refused_too(change: dict[str, object], reason: str) -> None:
    fields = {"model": "m", "kind": "float16", "width": 2, "keys": (b"k" * 16,), "lengths": np.array([3], np.int32)}
    block = StateBlock(**{"rows": np.zeros((3, 2), np.float16), **fields, **change})  # type: ignore[arg-type]
    with pytest.raises(CorruptValue, match=reason):
        decode_block(encode_block(block))


@pytest.mark.parametrize(("at", "value"), [(4, 9), (5, 7)])
def test_another_version_or_kind_is_refused(at: int, value: int) -> None:
    import hashlib

    raw = bytearray(encode_block(block_of([2])))[:-16]
    struct.pack_into("<B", raw, at, value)
    with pytest.raises(CorruptValue, match="format version"):
        decode_block(bytes(raw) + hashlib.blake2b(bytes(raw), digest_size=16).digest())


@pytest.mark.parametrize(
    "block",
    [
        StateBlock("m", "int8", 2, (), np.zeros(0, np.int32), np.zeros((0, 2), np.int8)),
        block_of([1] * (BLOCK_TEXTS + 1)),
        StateBlock("m", "int8", 2, (b"k" * 16,), np.array([2], np.int32), np.zeros((3, 2), np.int8)),
    ],
    ids=["no text", "too many texts", "rows of other texts"],
)
def test_a_block_that_does_not_hold_together_is_not_written(block: StateBlock) -> None:
    with pytest.raises(ValueError, match="a block of"):
        encode_block(block)


def test_texts_are_told_apart_by_their_tokens() -> None:
    assert text_key([1, 2]) == text_key((1, 2))
    assert len({text_key(ids) for ids in ([], [1], [1, 2], [2, 1], [1, 2, 0], [258])}) == 6
    assert state_block_id(12) == "12"
