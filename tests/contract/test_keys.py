"""What is written as a key is read back from it, and nothing else is taken for a key."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.errors import BadInput
from contract.keys import GRAMMAR, MAX_ID_BYTES, Keys, ValueKey

KEYS = Keys("shop-1.test_a")
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=MAX_ID_BYTES // 4)
KINDS = st.sampled_from([kind for kind in GRAMMAR if kind != "meta"])
GENERATIONS = st.integers(0, 10**18 - 1)


@given(GENERATIONS, KINDS, IDS)
@example(7, "user", "a:b:c")
@example(7, "item", "g7:m")
@example(7, "item", "line\nbreak\0")
@example(7, "candidates-segment", " ")
def test_any_id_is_read_back(generation: int, kind: str, id: str) -> None:
    assert KEYS.parse(KEYS.value(generation, kind, id)) == ValueKey(generation, kind, id)


@given(GENERATIONS)
def test_meta_is_read_back(generation: int) -> None:
    assert KEYS.parse(KEYS.meta(generation)) == ValueKey(generation, "meta", "")


@given(st.lists(st.tuples(GENERATIONS, KINDS, IDS), unique=True, max_size=8))
def test_no_two_values_share_a_key(values: list[tuple[int, str, str]]) -> None:
    assert len({KEYS.value(*value) for value in values}) == len(values)


@given(st.binary(max_size=40))
@example(b"g1:u:\xff")
@example(b"g1:u:")
@example(b"g1:u")
@example(b"g1:m:x")
@example(b"g01:m")
@example(b"g1:zz:x")
@example(b"pointer")
@example(b"g" + b"9" * 30 + b":m")
def test_a_foreign_key_is_refused_or_is_exactly_what_we_write(tail: bytes) -> None:
    key = KEYS.prefix.encode() + b":" + tail
    try:
        found = KEYS.parse(key)
    except BadInput:
        return
    written = (
        KEYS.meta(found.generation) if found.kind == "meta" else KEYS.value(found.generation, found.kind, found.id)
    )
    assert written == key


@given(st.binary(max_size=40).filter(lambda key: not key.startswith(b"shop-1.test_a:")))
@example(b"shop-2:g1:m")
@example(b"shop-1.test_a")
@example(b"")
def test_a_key_of_another_prefix_is_refused(key: bytes) -> None:
    with pytest.raises(BadInput):
        KEYS.parse(key)


@pytest.mark.parametrize(
    "id", ["", "x" * 513, "ü" * 257, "\ud800"], ids=["empty", "long", "long in UTF-8", "surrogate"]
)
def test_an_id_that_cannot_be_stored_is_refused(id: str) -> None:
    with pytest.raises(BadInput, match=r"where events are made|at its source"):
        KEYS.value(1, "user", id)


@pytest.mark.parametrize("id", ["x" * 512, "ü" * 256], ids=["ascii", "two bytes each"])
def test_the_longest_id_fits(id: str) -> None:
    assert KEYS.parse(KEYS.value(1, "user", id)).id == id


@pytest.mark.parametrize("prefix", ["", "a b", "a*", "a:b", "[a]", "é", "x" * 65, "a\n"])
def test_a_prefix_that_would_break_the_grammar_is_refused(prefix: str) -> None:
    with pytest.raises(BadInput, match="PACE_REDIS__PREFIX"):
        Keys(prefix)


def test_an_answer_has_the_key_of_what_changes_it() -> None:
    assert KEYS.answer(b"user 1, n 10") == KEYS.answer(b"user 1, n 10")
    assert KEYS.answer(b"user 1, n 10") != KEYS.answer(b"user 1, n 11")
    with pytest.raises(BadInput):
        KEYS.parse(KEYS.answer(b"user 1, n 10"))
