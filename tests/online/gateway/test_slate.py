"""Filters and order, on values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.records import ItemRecord
from online.gateway.query import Filter
from online.gateway.slate import in_model_order, keep, passes, without
from tests.online.toy import ITEMS, ranked

RECORDS = {item.item_id: item for item in ITEMS}


@pytest.mark.parametrize(
    ("item", "wanted", "expected"),
    [
        (ItemRecord("a", "A"), Filter(), True),
        (None, Filter(), True),  # a record that is missing costs a title, not the item
        (None, Filter(categories=("light",)), False),
        (None, Filter(price_max=5), False),
        (ItemRecord("a", "A", available=False), Filter(), False),
        (ItemRecord("a", "A", available=False), Filter(available=False), True),
        (ItemRecord("a", "A", categories=("x", "light")), Filter(categories=("light", "seat")), True),
        (ItemRecord("a", "A", categories=()), Filter(categories=("light",)), False),
        (ItemRecord("a", "A", price=5.0), Filter(price_min=5, price_max=5), True),
        (ItemRecord("a", "A", price=5.01), Filter(price_max=5), False),
        (ItemRecord("a", "A", price=4.99), Filter(price_min=5), False),
        (ItemRecord("a", "A", price=None), Filter(price_max=5), False),
        (ItemRecord("a", "A", price=None), Filter(), True),
    ],
)
def test_what_a_filter_lets_through(item, wanted, expected) -> None:
    assert passes(item, wanted) is expected


def looked_up(wanted: Filter, enough: int) -> tuple[list[str], list[int]]:
    """Ids kept, and how many records each look-up asked for."""
    asked = []

    def records_of(ids):
        asked.append(len(ids))
        return {id: RECORDS[id] for id in ids}

    candidates = ranked(("sold", "cup", "plate", "lamp", "chair", "stool"), 0)
    kept = keep(candidates, wanted, enough, records_of)
    return [candidates.item_ids[position] for position in kept.positions], asked


def test_records_are_looked_up_only_as_far_as_needed() -> None:
    assert looked_up(Filter(available=False), 2) == (["sold", "cup"], [2])
    assert looked_up(Filter(), 2) == (["cup", "plate"], [2, 2])  # one was not available


def test_a_selective_filter_looks_at_everything_in_one_go() -> None:
    assert looked_up(Filter(categories=("seat",)), 2) == (["chair", "stool"], [6])


@given(
    ids=st.lists(st.sampled_from([*RECORDS, "unknown", "forgotten"]), unique=True),
    wanted=st.builds(
        Filter,
        categories=st.lists(st.sampled_from(["kitchen", "seat"]), max_size=1).map(tuple),
        price_max=st.none() | st.just(8.0),
        available=st.booleans(),
    ),
    enough=st.integers(1, 10),
)
def test_what_is_kept_is_the_first_that_pass(ids: list[str], wanted: Filter, enough: int) -> None:
    kept = keep(ranked(ids, 0), wanted, enough, lambda asked: {id: RECORDS[id] for id in asked if id in RECORDS})

    passing = [place for place, id in enumerate(ids) if passes(RECORDS.get(id), wanted)]
    assert kept.positions == passing[:enough]
    assert all(kept.records.get(ids[place]) is RECORDS.get(ids[place]) for place in kept.positions)


def test_without_leaves_out_and_keeps_the_order() -> None:
    candidates = ranked(("a", "b", "c"), 0)

    assert without(candidates, {"b", "z"}).item_ids == ("a", "c")
    assert without(candidates, {"z"}) is candidates


def test_ties_of_the_model_stay_in_candidate_order() -> None:
    assert in_model_order([4, 7, 9, 11], np.array([1.0, 2.0, 1.0], np.float32)) == [7, 4, 9, 11]


@given(scores=st.lists(st.floats(-1e6, 1e6, width=32), max_size=20), rest=st.integers(0, 5))
def test_every_position_stays_and_the_scored_ones_fall(scores, rest) -> None:
    positions = list(range(100, 100 + len(scores) + rest))

    ordered = in_model_order(positions, np.array(scores, np.float32))

    assert sorted(ordered) == positions
    seen = [scores[position - 100] for position in ordered[: len(scores)]]
    assert seen == sorted(seen, reverse=True)
    assert ordered[len(scores) :] == positions[len(scores) :]
