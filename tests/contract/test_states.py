"""Blocks of item states: what goes in comes out, and 100 of 100 damages are refused."""

import dataclasses
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from xxhash import xxh3_128_digest

from contract.errors import CorruptValue
from contract.states import BLOCK_TEXTS, VERSION, StateBlock, decode_block, encode_block, state_block_id, text_key
from tests.damage import damaged


def block_of(lengths: list[int], width: int = 3, kind: str = "int8", seed: int = 0, model: str = "m1") -> StateBlock:
    random = np.random.default_rng(seed)
    rows = random.integers(-127, 128, (sum(lengths), width))
    keys = tuple(text_key([seed, place]) for place in range(len(lengths)))
    return StateBlock(model, kind, width, keys, np.array(lengths, np.int32), rows.astype(kind))  # type: ignore[arg-type]


def sealed(body: bytes) -> bytes:
    return body + xxh3_128_digest(body)


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=20),
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
    for raw in damaged(encode_block(block_of([4, 7, 2, 9], 16)), 100):
        with pytest.raises(CorruptValue, match="publish again"):
            decode_block(raw)


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


@pytest.mark.parametrize(("at", "value", "reason"), [(4, 9, "format version 9, not"), (5, 7, "no known kind, 7")])
def test_another_version_or_kind_is_refused(at: int, value: int, reason: str) -> None:
    raw = bytearray(encode_block(block_of([2])))[:-16]
    struct.pack_into("<B", raw, at, value)
    with pytest.raises(CorruptValue, match=reason):
        decode_block(sealed(bytes(raw)))


def test_a_model_that_is_no_text_is_refused() -> None:
    body = encode_block(block_of([2], model="m"))[:-16]
    with pytest.raises(CorruptValue, match="not UTF-8"):
        decode_block(sealed(body[:12] + b"\xff" + body[13:]))


@given(
    kind=st.integers(0, 2), width=st.integers(0, 4), texts=st.integers(0, 300), name=st.integers(0, 40),
    rest=st.binary(max_size=120),
)  # fmt: skip
@example(kind=0, width=3, texts=0, name=1, rest=b"m")
@example(kind=0, width=3, texts=300, name=0, rest=bytes(600) + b"".join(text_key([n]) for n in range(300)))
@example(kind=0, width=3, texts=1, name=0, rest=b"\1\0" + b"k" * 16 + bytes(3))
@example(kind=0, width=3, texts=1, name=40, rest=b"m")  # the name alone is longer than all
def test_well_sealed_bytes_are_corrupt_or_decode_whole(
    kind: int, width: int, texts: int, name: int, rest: bytes
) -> None:
    try:
        block = decode_block(sealed(struct.pack("<4sBBHHH", b"PSST", VERSION, kind, width, texts, name) + rest))
    except CorruptValue:
        return
    assert 0 < len(block.keys) == len(block.lengths) == texts <= BLOCK_TEXTS
    assert block.rows.shape == (block.tokens, width)


def test_rows_are_a_view_of_what_was_read() -> None:
    raw = encode_block(block_of([4, 7]))
    assert np.shares_memory(decode_block(raw).rows, np.frombuffer(raw, np.uint8))


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


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"keys": (b"k" * 8, b"j" * 24)}, "not 16 bytes long"),  # in all as long as two good ones
        ({"rows": np.zeros((3, 2), np.float32)}, "rows of float32"),  # would be cut to whole numbers
        ({"lengths": np.array([-1, 4], np.int32)}, "1 to 65535 of each fit"),
        ({"lengths": np.array([65536, 0], np.int32), "rows": np.zeros((65536, 2), np.int8)}, "1 to 65535 of each fit"),
        ({"width": 65536, "rows": np.zeros((3, 65536), np.int8)}, "1 to 65535 of each fit"),
        ({"model": "m" * 65536}, "1 to 65535 of each fit"),
    ],
)
def test_what_would_come_back_as_something_else_is_not_written(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        encode_block(dataclasses.replace(block_of([1, 2], 2), **change))


def test_texts_are_told_apart_by_their_tokens() -> None:
    assert text_key([1, 2]) == text_key((1, 2))
    assert len({text_key(ids) for ids in ([], [1], [1, 2], [2, 1], [1, 2, 0], [258])}) == 6
    assert state_block_id(12) == "12"
