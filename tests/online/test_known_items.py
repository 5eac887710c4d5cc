"""Item records in memory: bounded, read once, of the generation asked for."""

from hypothesis import given
from hypothesis import strategies as st

from contract.records import ItemRecord
from online.known_items import KnownItems


class Catalogue:
    """A store that knows `a`, `b`, `c` and counts what is read from it."""

    def __init__(self) -> None:
        self.read: list[tuple[int, tuple[str, ...]]] = []

    def __call__(self, generation: int, ids) -> dict[str, ItemRecord]:
        self.read.append((generation, tuple(ids)))
        return {id: ItemRecord(id, f"{id} of {generation}") for id in ids if id in "abc"}


def test_a_record_is_read_once_a_generation() -> None:
    store = Catalogue()
    items = KnownItems(store, limit=10)

    items.records(1, ["a", "b"])
    again = items.records(1, ["b", "c"])
    other = items.records(2, ["a"])

    assert store.read == [(1, ("a", "b")), (1, ("c",)), (2, ("a",))]
    assert {id: record.title for id, record in again.items()} == {"b": "b of 1", "c": "c of 1"}
    assert other["a"].title == "a of 2"


def test_that_an_item_is_unknown_is_remembered() -> None:
    store = Catalogue()
    items = KnownItems(store, limit=10)

    assert items.records(1, ["z"]) == {}
    assert items.records(1, ["z"]) == {}
    assert len(store.read) == 1


def test_the_generation_that_is_no_longer_asked_for_goes_first() -> None:
    store = Catalogue()
    items = KnownItems(store, limit=3)
    items.records(2, ["a", "b"])
    items.records(1, ["a", "b"])  # rolled back: 1 is the one in use

    items.records(1, ["c"])

    read = len(store.read)
    items.records(1, ["a", "b", "c"])
    assert len(store.read) == read


def test_within_a_generation_the_longest_unused_goes_first() -> None:
    store = Catalogue()
    items = KnownItems(store, limit=2)
    items.records(1, ["a", "b"])
    items.records(1, ["a"])

    items.records(1, ["c"])

    read = len(store.read)
    items.records(1, ["a", "c"])
    assert len(store.read) == read
    items.records(1, ["b"])
    assert len(store.read) == read + 1


@given(
    asked=st.lists(st.tuples(st.integers(1, 3), st.lists(st.sampled_from("abcxyz"), max_size=6))),
    limit=st.integers(1, 5),
)
def test_the_limit_holds_and_every_answer_is_right(asked, limit) -> None:
    items = KnownItems(Catalogue(), limit)

    for generation, ids in asked:
        found = items.records(generation, ids)

        assert {id: record.title for id, record in found.items()} == {
            id: f"{id} of {generation}" for id in ids if id in "abc"
        }
        assert len(items) <= limit
