"""The fused order, against the rule written out item by item."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import CandidateList, decode_candidates, encode_candidates
from contract.merge import merge_lists, merge_query, popular_scores

IDS = st.lists(st.sampled_from(["a", "b", "c", "d", "é", "f" * 300]), unique=True, max_size=6)
LIST = IDS.flatmap(
    lambda ids: st.lists(
        st.tuples(st.integers(0, 1), st.tuples(st.integers(-2, 3), st.integers(0, 3))),
        min_size=len(ids),
        max_size=len(ids),
    ).map(
        lambda rest: CandidateList.of([(id, source, scores) for id, (source, scores) in zip(ids, rest, strict=True)], 2)
    )
)
# Sums of these are exact, so that both sides agree on what ties.
WEIGHT = st.sampled_from([2.0, 1.0, 0.5])


@given(
    lists=st.lists(st.tuples(LIST, WEIGHT), max_size=4),
    source_weights=st.tuples(WEIGHT, WEIGHT),
    limit=st.integers(0, 8),
    exclude=st.sets(st.sampled_from("abz")),
)
def test_items_stand_by_the_weighted_sum_of_their_scores(lists, source_weights, limit, exclude) -> None:
    scores: dict[str, list[float]] = {}
    for candidates, weight in lists:
        for id, row in zip(candidates.item_ids, candidates.scores.tolist(), strict=True):
            before = scores.get(id, [0.0, 0.0])
            scores[id] = [old + weight * new for old, new in zip(before, row, strict=True)]
    parts = {
        id: [score * weight for score, weight in zip(row, source_weights, strict=True)] for id, row in scores.items()
    }
    order = sorted(set(scores) - exclude, key=lambda id: (-sum(parts[id]), id))[:limit]

    merged = merge_lists([one for one, _ in lists], [weight for _, weight in lists], source_weights, limit, exclude)

    assert merged.item_ids == tuple(order)
    assert merged.source.tolist() == [int(np.argmax(parts[id])) for id in order]
    assert merged.scores.tolist() == [scores[id] for id in order]


@pytest.mark.parametrize("limit", [1, 5, 50])
def test_long_lists_stand_as_a_whole_sort_has_them(limit: int) -> None:
    """Only the head is sorted: what ties across its end must still go by id."""
    ids = [f"i{number:02}" for number in range(60)]
    tied = CandidateList.of(((id, 0, (float(number // 7 % 3), 0.0)) for number, id in enumerate(reversed(ids))), 2)
    values = dict(zip(tied.item_ids, tied.scores[:, 0].tolist(), strict=True))

    merged = merge_lists([tied], [1.0], (1.0, 1.0), limit, {"i00", "i31"})

    assert list(merged.item_ids) == sorted(set(ids) - {"i00", "i31"}, key=lambda id: (-values[id], id))[:limit]


@given(candidates=LIST)
def test_a_list_is_read_as_it_was_written(candidates) -> None:
    read = decode_candidates(encode_candidates(candidates))

    assert read.item_ids == candidates.item_ids
    assert read.source.tolist() == candidates.source.tolist()
    assert read.scores.tolist() == candidates.scores.tolist()


NAMES = st.lists(st.integers(0, 30).map("i{:02}".format), unique=True, max_size=25)
SCORE = st.floats(-4, 4, width=16) | st.sampled_from([0.0, -0.0, 0.25])
LONG_LIST = NAMES.flatmap(
    lambda ids: st.lists(st.tuples(SCORE, SCORE, SCORE), min_size=len(ids), max_size=len(ids)).map(
        lambda rows: CandidateList.of([(id, 0, row) for id, row in zip(ids, rows, strict=True)], 3)
    )
)


@given(
    user=st.none() | LONG_LIST,
    items=st.lists(LONG_LIST, max_size=3),
    segments=st.lists(LONG_LIST, max_size=3),
    source_weights=st.tuples(*[st.floats(0, 3, width=32)] * 3),
    limit=st.integers(0, 40),
    exclude=st.sets(st.sampled_from(["i00", "i07", "z"])),
)
def test_a_query_is_what_single_floats_added_one_by_one_are(
    user, items, segments, source_weights, limit, exclude
) -> None:
    """To the bit: popular lists first, then the user's, then the items'; of an item's score the first source first."""
    scores: dict[str, list[np.float32]] = {}
    for kind in (segments, [user] if user is not None else [], items):
        for one in kind:
            weight = np.float32(len(kind) ** -0.5)
            for id, row in zip(one.item_ids, one.scores, strict=True):
                before = scores.setdefault(id, [np.float32(0)] * 3)
                scores[id] = [old + weight * new for old, new in zip(before, row, strict=True)]
    fused = {}
    for id, row in scores.items():
        fused[id] = np.float32(0)
        for score, weight in zip(row, source_weights, strict=True):
            fused[id] += score * np.float32(weight)
    order = sorted(scores.keys() - exclude, key=lambda id: (-fused[id], id))[:limit]

    merged = merge_query(user, items, popular_scores(segments, 3), source_weights, exclude, limit)

    assert merged.item_ids == tuple(order)
    assert merged.scores.dtype == np.float32
    assert merged.scores.tobytes() == np.array([scores[id] for id in order], np.float32).reshape(-1, 3).tobytes()


def test_sources_are_added_in_their_order() -> None:
    """What is half of the last place of 1 is lost when it is added to 1, and counts where it is doubled before."""
    half = 2.0**-24
    tied = CandidateList.of([("b", 0, (1.0, half, half)), ("a", 0, (1.0, 0.0, 0.0)), ("c", 0, (half, half, 1.0))], 3)

    assert merge_lists([tied], [1.0], (1.0, 1.0, 1.0), 9).item_ids == ("c", "a", "b")
