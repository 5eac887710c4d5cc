"""The fused order, against the rule written out item by item."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import CandidateList, decode_candidates, encode_candidates
from contract.merge import merge_lists

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
