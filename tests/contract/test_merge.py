"""What callers may rely on of a merged order, beyond the rule itself (test_merge_rule)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import CandidateList
from contract.merge import best, merge_lists, merge_query, never_proposed, popular_scores, summed

ITEM = st.sampled_from("abcdefgh")
ORDERS = st.lists(st.lists(ITEM, unique=True, max_size=8), max_size=4)
WEIGHT = st.sampled_from([0.25, 0.5, 1.0, 2.0])
EVEN = (1.0, 1.0)
NONE_POPULAR = popular_scores([], 2)


def ordered(ids: Sequence[str], source: int = 0, best: float = 1.0) -> CandidateList:
    """`ids` in this order, all of one source of two; scores fall from `best` by a sixteenth of it."""
    scores = [best * (1 - place / 16) for place in range(len(ids))]
    return CandidateList.of(
        ((id, source, (score, 0.0) if source == 0 else (0.0, score)) for id, score in zip(ids, scores, strict=True)), 2
    )


def merged(orders: Sequence[Sequence[str]], weights: Sequence[float], limit: int = 99, exclude: Sequence[str] = ()):
    return merge_lists([ordered(ids) for ids in orders], weights, EVEN, limit, exclude).item_ids


@given(ORDERS, st.data(), st.integers(0, 9), st.sets(ITEM))
def test_the_limit_cuts_and_never_changes_the_order(
    orders: list[list[str]], data: st.DataObject, limit: int, exclude: set[str]
) -> None:
    weights = data.draw(st.lists(WEIGHT, min_size=len(orders), max_size=len(orders)))
    whole = merged(orders, weights, 99, tuple(exclude))
    assert merged(orders, weights, limit, tuple(exclude)) == whole[:limit]
    assert set(whole) == {id for ids in orders for id in ids} - exclude
    assert len(set(whole)) == len(whole)


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


def test_the_source_is_the_one_that_adds_most() -> None:
    one, other = CandidateList.of([("a", 0, (0.5, 0.25))], 2), CandidateList.of([("a", 1, (0.0, 0.5))], 2)
    assert merge_lists([one], [1.0], EVEN, 9).source.tolist() == [0]
    assert merge_lists([one, other], [1.0, 1.0], EVEN, 9).source.tolist() == [1]
    assert merge_lists([one, other], [1.0, 1.0], (2.0, 1.0), 9).source.tolist() == [0]
    assert merge_lists([one], [1.0], (0.5, 1.0), 9).source.tolist() == [0]  # of equals the first


def test_no_lists_are_an_empty_list() -> None:
    assert len(merge_lists([], [], EVEN, 9)) == 0
    assert len(merge_lists([CandidateList.empty(2)], [1.0], EVEN, 9)) == 0
    assert merge_lists([CandidateList.empty(2), CandidateList.empty(2)], EVEN, EVEN, 9).scores.shape == (0, 2)


def test_weights_must_fit_the_lists() -> None:
    with pytest.raises(ValueError, match="2 lists, 1 weights"):
        merge_lists([ordered("a"), ordered("b")], [1.0], EVEN, 9)


def test_lists_of_a_kind_share_their_say() -> None:
    """Four context items weigh 1/2 each: what all of them propose counts twice, not four times."""
    context = [ordered("xa"), ordered("xb"), ordered("xc"), ordered("xd")]
    query = merge_query(ordered("u", best=1.9), context, NONE_POPULAR, EVEN, exclude=(), limit=9)
    assert query.item_ids == ("x", "u", "a", "b", "c", "d")
    assert query.scores[:2, 0].tolist() == pytest.approx([2.0, 1.9])
    assert merge_query(ordered("u", best=2.1), context, NONE_POPULAR, EVEN, (), 9).item_ids[:2] == ("u", "x")


def test_popular_items_are_weighed_by_their_source_and_fill_what_is_left() -> None:
    popular = popular_scores([ordered(["a", "p", "q"], source=1)], 2)
    low, none = (1.0, 0.125), (1.0, 1e-6)
    assert merge_query(ordered("ba"), [], popular, low, exclude=("p",), limit=9).item_ids == ("a", "b", "q")
    assert merge_query(ordered("ba"), [], popular, none, exclude=(), limit=9).item_ids == ("b", "a", "p", "q")
    assert merge_query(ordered("ba"), [], popular, none, exclude=(), limit=1).item_ids == ("b",)
    assert merge_query(None, [], popular, low, exclude=(), limit=9).item_ids == ("a", "p", "q")


@given(ORDERS, ORDERS, st.none() | st.lists(ITEM, unique=True), st.sets(ITEM), st.integers(1, 8))
def test_a_query_names_each_item_once_and_none_that_is_excluded(
    items: list[list[str]], segments: list[list[str]], user: list[str] | None, exclude: set[str], limit: int
) -> None:
    query = merge_query(
        ordered(user) if user is not None else None,
        [ordered(ids) for ids in items],
        popular_scores([ordered(ids, source=1) for ids in segments], 2),
        EVEN,
        exclude,
        limit,
    )
    everything = {id for ids in [*items, *segments, user or []] for id in ids} - exclude
    assert len(set(query.item_ids)) == len(query.item_ids) == min(limit, len(everything))
    assert set(query.item_ids) <= everything
    assert query.scores.shape[0] == query.source.shape[0] == len(query)


def test_what_is_never_proposed() -> None:
    assert never_proposed(["a"], ["b"], repeats=True) == {"a"}
    assert never_proposed(["a"], ["b"], repeats=False) == {"a", "b"}


@given(ORDERS, ORDERS, st.sampled_from([1.0, -1.0]))
def test_what_was_summed_before_is_gone_on_from_and_stays(
    before: list[list[str]], after: list[list[str]], score: float
) -> None:
    first, then = ([ordered(ids, best=score) for ids in orders] for orders in (before, after))
    onto = summed(first, [1.0] * len(first), 2)
    ids, scores = list(onto.rows), onto.scores.copy()

    whole = summed(then, [1.0] * len(then), 2, onto)

    once = summed([*first, *then], [1.0] * len([*first, *then]), 2)
    assert best(whole, EVEN, 99, ()).item_ids == best(once, EVEN, 99, ()).item_ids
    assert whole.scores.tolist() == once.scores.tolist()
    assert list(onto.rows) == ids
    assert onto.scores.tolist() == scores.tolist()
