"""Values come back as they were put in, and bytes that are no value are refused as that."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.codec import (
    MAX_ENTRIES,
    CandidateList,
    Checksum,
    decode_candidates,
    decode_item,
    decode_user,
    encode_candidates,
    encode_record,
)
from contract.errors import CorruptValue
from contract.records import ItemRecord, UserRecord

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ID = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NUMBER = st.floats(width=32, allow_nan=False, allow_infinity=False)
ITEM = st.builds(
    ItemRecord,
    TEXT,
    TEXT,
    st.none() | TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
    st.none() | st.floats(allow_nan=False),
    st.booleans(),
    TEXT,
    st.integers(0, 2**31),
    st.integers(0, 2**31),
    st.integers(0, 2**31),
    st.floats(allow_nan=False),
)
USER = st.builds(
    UserRecord,
    TEXT,
    TEXT,
    st.lists(TEXT, max_size=5).map(tuple),
    st.integers(0, 2**31),
    st.integers(0, 2**31),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.floats(allow_nan=False),
)


@st.composite
def candidate_lists(draw: st.DrawFn) -> CandidateList:
    sources = draw(st.integers(1, 5))
    entry = st.tuples(ID, st.integers(0, sources - 1), st.lists(NUMBER, min_size=sources, max_size=sources))
    return CandidateList.of(draw(st.lists(entry, max_size=8)), sources)


@given(candidate_lists())
@example(CandidateList.empty(3))
@example(CandidateList.of([("é" * 300, 1, (1e9, -1e9)), ("", 0, (1e-9, 0.1))], 2))
def test_a_list_comes_back_within_float16(candidates: CandidateList) -> None:
    read = decode_candidates(encode_candidates(candidates))
    assert read.item_ids == candidates.item_ids
    assert read.source.tolist() == candidates.source.tolist()
    assert read.scores.dtype == np.float32
    assert read.scores.shape == candidates.scores.shape
    clipped = np.clip(candidates.scores, -65504, 65504)
    # Half a unit in the last of 11 significant bits; below the smallest normal number, half the smallest step.
    assert np.all(np.abs(read.scores - clipped) <= np.maximum(np.abs(clipped) * 2**-11, 2**-25))


@given(candidate_lists())
def test_every_truncation_of_a_list_is_corrupt(candidates: CandidateList) -> None:
    raw = encode_candidates(candidates)
    for length in range(len(raw)):
        with pytest.raises(CorruptValue):
            decode_candidates(raw[:length])
    with pytest.raises(CorruptValue):
        decode_candidates(raw + b"\0")


@given(ITEM, USER)
def test_records_come_back(item: ItemRecord, user: UserRecord) -> None:
    assert decode_item(encode_record(item)) == item
    assert decode_user(encode_record(user)) == user


@given(ITEM, USER)
def test_every_truncation_of_a_record_is_corrupt(item: ItemRecord, user: UserRecord) -> None:
    for raw, decode in ((encode_record(item), decode_item), (encode_record(user), decode_user)):
        for length in range(len(raw)):
            with pytest.raises(CorruptValue):
                decode(raw[:length])


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: b"\x02" + tail))
@example(b"")
@example(b"\x02\xff\xff\xff")
@example(b"\x02\x01\x01\x00\x07\x00\x3ca\x00")  # of the eighth source of one
@example(b"\x91" * 5000)
@example(b"\x9b\xa1\xff")
@pytest.mark.parametrize("decode", [decode_candidates, decode_item, decode_user])
def test_bytes_that_are_no_value_are_corrupt_or_decode_whole(decode: Any, raw: bytes) -> None:
    try:
        value = decode(raw)
    except CorruptValue:
        return
    if isinstance(value, CandidateList):  # by chance well formed: every entry is there, of a source that is
        assert len(value.item_ids) == len(value.source) == len(value.scores)
        assert all(place < value.scores.shape[1] for place in value.source.tolist())


def test_an_entry_of_no_source_is_corrupt() -> None:
    raw = bytearray(encode_candidates(CandidateList.of([("a", 0, (1.0, 0.0)), ("b", 1, (0.0, 1.0))], 2)))
    assert raw[4:6] == b"\x00\x01"
    raw[4:6] = b"\x01\x02"
    with pytest.raises(CorruptValue, match="an entry is of source 2 of 2; publish again"):
        decode_candidates(bytes(raw))


def test_an_id_that_is_cut_within_a_letter_is_corrupt() -> None:
    raw = encode_candidates(CandidateList.of([("é", 0, (1.0,))], 1))
    with pytest.raises(CorruptValue, match="not UTF-8"):
        decode_candidates(raw[:-3] + b"\xc3\xc3\0")


def test_a_record_that_grew_is_read_by_the_old_and_the_new() -> None:
    # A writer before the last fields were added, and one with a field more than we know.
    assert decode_item(msgspec.msgpack.encode(["mug", "A mug"])) == ItemRecord("mug", "A mug")
    whole = [*msgspec.structs.astuple(ItemRecord("mug", "A mug")), "a field of tomorrow"]
    assert decode_item(msgspec.msgpack.encode(whole)) == ItemRecord("mug", "A mug")


def test_more_entries_than_the_format_counts_are_refused() -> None:
    many = CandidateList.of(((str(n), 0, (0.0,)) for n in range(MAX_ENTRIES + 1)), 1)
    with pytest.raises(ValueError, match="at most 65535"):
        encode_candidates(many)


@pytest.mark.parametrize("ids", [("a\0b",), ("\0", "a"), ("a", "b\0")])
def test_an_id_with_what_ends_ids_is_refused(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="an item id has a NUL"):
        encode_candidates(CandidateList.of([(id, 0, (1.0,)) for id in ids], 1))


def test_taking_entries_keeps_what_belongs_together() -> None:
    candidates = CandidateList.of([("a", 0, (1.0, 0.0)), ("b", 1, (0.0, 2.0)), ("c", 0, (3.0, 0.0))], 2)
    taken = candidates.take([2, 1])
    assert taken.item_ids == ("c", "b")
    assert taken.source.tolist() == [0, 1]
    assert taken.scores.tolist() == [[3.0, 0.0], [0.0, 2.0]]


@given(st.lists(st.tuples(st.binary(max_size=5), st.binary(max_size=5)), max_size=6), st.randoms())
def test_the_checksum_does_not_ask_who_wrote_first(pairs: list[tuple[bytes, bytes]], random: Any) -> None:
    first, second = Checksum(), Checksum()
    for pair in pairs:
        first.add(*pair)
    random.shuffle(pairs)
    for pair in pairs:
        second.add(*pair)
    assert first.hexdigest() == second.hexdigest()


@given(st.binary(min_size=1, max_size=9))
def test_the_checksum_tells_keys_from_values(raw: bytes) -> None:
    sums = set()
    for cut in range(len(raw) + 1):
        checksum = Checksum()
        checksum.add(raw[:cut], raw[cut:])
        sums.add(checksum.hexdigest())
    assert len(sums) == len(raw) + 1
