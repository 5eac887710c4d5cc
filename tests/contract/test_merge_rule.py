"""The fused order, against the rule written out item by item."""

from hypothesis import given
from hypothesis import strategies as st

from contract.codec import CandidateList, decode_candidates, encode_candidates
from contract.merge import RRF_OFFSET, merge_lists

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


@given(
    lists=st.lists(st.tuples(LIST, st.sampled_from([1.0, 0.5])), max_size=4),
    limit=st.integers(1, 8),
    exclude=st.sets(st.sampled_from("abz")),
)
def test_items_stand_by_the_sum_of_their_reciprocal_ranks(lists, limit, exclude) -> None:
    fused: dict[str, float] = {}
    best: dict[str, tuple[float, int]] = {}
    scores: dict[str, list[float]] = {}
    for candidates, weight in lists:
        for rank, id in enumerate(candidates.item_ids):
            if id in exclude:
                continue
            part = weight / (RRF_OFFSET + rank)
            fused[id] = fused.get(id, 0.0) + part
            if id not in best or part > best[id][0]:
                best[id] = (part, int(candidates.source[rank]))
            row = candidates.scores[rank].tolist()
            scores[id] = [max(a, b) for a, b in zip(scores.get(id, row), row, strict=True)]
    order = sorted(fused, key=lambda id: (-fused[id], id))[:limit]

    merged = merge_lists([one for one, _ in lists], [weight for _, weight in lists], limit, exclude)

    assert merged.item_ids == tuple(order)
    assert merged.source.tolist() == [best[id][1] for id in order]
    assert merged.scores.tolist() == [scores[id] for id in order]


@given(candidates=LIST)
def test_a_list_is_read_as_it_was_written(candidates) -> None:
    read = decode_candidates(encode_candidates(candidates))

    assert read.item_ids == candidates.item_ids
    assert read.source.tolist() == candidates.source.tolist()
    assert read.scores.tolist() == candidates.scores.tolist()
