"""What callers may rely on of a merged order, beyond the rule itself (test_merge_rule)."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import CandidateList
from contract.merge import merge_lists, merge_query

ITEM = st.sampled_from("abcdefgh")
ORDERS = st.lists(st.lists(ITEM, unique=True, max_size=8), max_size=4)
WEIGHT = st.sampled_from([0.25, 0.5, 1.0, 2.0])


def ordered(ids: Sequence[str], source: int = 0, score: float = 1.0) -> CandidateList:
    """`ids` in this order, all of one source of two."""
    return CandidateList.of(((id, source, (score, 0.0) if source == 0 else (0.0, score)) for id in ids), 2)


def merged(orders: Sequence[Sequence[str]], weights: Sequence[float], limit: int = 99, exclude: Sequence[str] = ()):
    return merge_lists([ordered(ids) for ids in orders], weights, limit, exclude).item_ids


@given(ORDERS, st.data(), st.integers(0, 9), st.sets(ITEM))
def test_the_limit_cuts_and_never_changes_the_order(
    orders: list[list[str]], data: st.DataObject, limit: int, exclude: set[str]
) -> None:
    weights = data.draw(st.lists(WEIGHT, min_size=len(orders), max_size=len(orders)))
    whole = merged(orders, weights, 99, tuple(exclude))
    assert merged(orders, weights, limit, tuple(exclude)) == whole[:limit]
    assert set(whole) == {id for ids in orders for id in ids} - exclude
    assert len(set(whole)) == len(whole)
    assert merged(orders, weights, 99, tuple(exclude)) == whole


@given(st.lists(ITEM, unique=True, max_size=8), st.lists(ITEM, unique=True, max_size=8), WEIGHT, WEIGHT)
def test_the_order_does_not_ask_which_list_came_first(
    one: list[str], other: list[str], weight: float, other_weight: float
) -> None:
    assert merged([one, other], [weight, other_weight]) == merged([other, one], [other_weight, weight])


@given(ORDERS, st.data(), st.sampled_from([2.0, 0.5, 8.0]))
def test_only_the_ratio_of_weights_counts(orders: list[list[str]], data: st.DataObject, factor: float) -> None:
    weights = data.draw(st.lists(WEIGHT, min_size=len(orders), max_size=len(orders)))
    assert merged(orders, weights) == merged(orders, [weight * factor for weight in weights])


@given(st.lists(ITEM, unique=True, max_size=8), st.integers(1, 4))
def test_lists_that_agree_are_not_reordered(ids: list[str], times: int) -> None:
    assert merged([ids] * times, [1.0] * times) == tuple(ids)


def test_ties_go_to_the_smaller_id() -> None:
    # Each is first once and second once.
    assert merged([["z", "a"], ["a", "z"]], [1.0, 1.0]) == ("a", "z")
    assert merged([["z"], ["m"], ["a"]], [1.0, 1.0, 1.0]) == ("a", "m", "z")


def test_ties_go_to_the_source_of_the_list_given_first() -> None:
    one, other = ordered(["a"], source=1), ordered(["a"], source=0)
    assert merge_lists([one, other], [1.0, 1.0], 9).source.tolist() == [1]
    assert merge_lists([other, one], [1.0, 1.0], 9).source.tolist() == [0]


def test_the_source_is_where_the_item_stands_best_and_scores_are_the_greatest() -> None:
    one = CandidateList.of([("a", 0, (0.9, 0.0)), ("b", 0, (0.8, 0.1))], 2)
    other = CandidateList.of([("b", 1, (0.0, 0.7)), ("a", 1, (0.95, 0.6))], 2)
    both = merge_lists([one, other], [1.0, 1.0], 9)
    assert both.item_ids == ("a", "b")
    assert both.source.tolist() == [0, 1]
    assert both.scores == pytest.approx(np.array([[0.95, 0.6], [0.8, 0.7]]))


def test_a_negative_score_is_a_score() -> None:
    # Not proposed by the other source is 0 there; proposed with -1 is -1, and the greatest wins.
    one = CandidateList.of([("a", 0, (-1.0, -2.0))], 2)
    assert merge_lists([one], [1.0], 9).scores.tolist() == [[-1.0, -2.0]]


def test_no_lists_are_an_empty_list() -> None:
    assert len(merge_lists([], [], 9)) == 0
    assert len(merge_lists([CandidateList.empty(2)], [1.0], 9)) == 0
    assert merge_lists([CandidateList.empty(2), CandidateList.empty(2)], [1.0, 1.0], 9).scores.shape == (0, 2)


def test_weights_must_fit_the_lists() -> None:
    with pytest.raises(ValueError, match="2 lists, 1 weights"):
        merge_lists([ordered("a"), ordered("b")], [1.0], 9)


def test_context_says_more_than_the_past() -> None:
    query = merge_query(ordered("abc"), [ordered("xyz")], [], exclude=(), limit=9)
    assert query.item_ids[:2] == ("x", "y")


def test_popular_items_only_fill_the_room_that_is_left() -> None:
    popular = [ordered(["a", "p", "q"], source=1), ordered(["q", "r"], source=1)]
    assert merge_query(ordered("ab"), [], popular, exclude=("p",), limit=9).item_ids == ("a", "b", "q", "r")
    assert merge_query(ordered("ab"), [], popular, exclude=(), limit=3).item_ids == ("a", "b", "p")
    assert merge_query(ordered("ab"), [], popular, exclude=(), limit=1).item_ids == ("a",)
    assert merge_query(None, [], popular, exclude=(), limit=9).item_ids == ("a", "p", "q", "r")


@given(ORDERS, ORDERS, st.none() | st.lists(ITEM, unique=True), st.sets(ITEM), st.integers(1, 8))
def test_a_query_names_each_item_once_and_none_that_is_excluded(
    items: list[list[str]], segments: list[list[str]], user: list[str] | None, exclude: set[str], limit: int
) -> None:
    query = merge_query(
        ordered(user) if user is not None else None,
        [ordered(ids) for ids in items],
        [ordered(ids, source=1) for ids in segments],
        exclude,
        limit,
    )
    everything = {id for ids in [*items, *segments, user or []] for id in ids} - exclude
    assert len(set(query.item_ids)) == len(query.item_ids) == min(limit, len(everything))
    assert set(query.item_ids) <= everything
    assert query.scores.shape[0] == query.source.shape[0] == len(query)
