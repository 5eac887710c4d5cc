"""Many candidate lists for one query become one: by the night for training, by the gateway for serving."""

from collections.abc import Collection, Sequence
from itertools import repeat

import numpy as np

from contract.codec import CandidateList


def merge_lists(
    lists: Sequence[CandidateList],
    weights: Sequence[float],
    source_weights: Sequence[float],
    limit: int,
    exclude: Collection[str] = frozenset(),
) -> CandidateList:
    """One list of what `lists` propose, at most `limit` entries, by the weighted sum of the sources' scores.

    `lists` have the same score columns, `source_weights` one number a column, and name an item once. A source's
    score of an item is the sum of its scores in the lists, each times the list's weight; the item stands by the
    sum of these, each times the source's weight, and its source is the one that adds most (of equals the first).
    Ties go to the smaller item id, so that the night and the gateway agree to the last place.
    """
    if len(lists) != len(weights):
        raise ValueError(f"{len(lists)} lists, {len(weights)} weights")
    place: dict[str, int] = {}
    places = [
        np.fromiter((place.setdefault(item_id, len(place)) for item_id in one.item_ids), np.intp, len(one))
        for one in lists
    ]
    scores = np.zeros((len(place), len(source_weights)), np.float32)
    for one, at, weight in zip(lists, places, weights, strict=True):
        scores[at] += np.float32(weight) * one.scores
    parts = scores * np.asarray(source_weights, np.float32)
    fused = parts.sum(1)
    ids = list(place)
    # A few more than are needed: excluded items go, and those that tie with the last stay to be settled.
    bound = limit + len(exclude)
    kept = np.arange(len(ids))
    if 0 < bound < len(ids):
        kept = np.flatnonzero(fused >= np.partition(fused, len(ids) - bound)[len(ids) - bound])
    # By id first: the sort by value keeps that order among equals, at a third of the cost of sorting (value, id) pairs.
    by_id = np.array(sorted([row for row in kept.tolist() if ids[row] not in exclude], key=ids.__getitem__), np.intp)
    rows = by_id[(-fused[by_id]).argsort(kind="stable")[:limit]]
    item_ids = tuple([ids[row] for row in rows.tolist()])
    return CandidateList(item_ids, parts[rows].argmax(1).astype(np.uint8), scores[rows])


def never_proposed(context: Collection[str], history: Collection[str], repeats: bool) -> frozenset[str]:
    """What a query is not offered: its context, and where nothing is chosen twice the user's history too."""
    return frozenset(context) if repeats else frozenset((*context, *history))


def merge_query(
    user_candidates: CandidateList | None,
    item_candidates: Sequence[CandidateList],
    segment_candidates: Sequence[CandidateList],
    source_weights: Sequence[float],
    exclude: Collection[str],
    limit: int,
) -> CandidateList:
    """What the ranker sees of one query: the same for a training pair and for a request.

    `item_candidates`: the lists of the context items that have one; `user_candidates`: the user's list, or None;
    `segment_candidates`: the popular lists of the context items' segments, of the user's, and of `all`, so that
    a new user or an unknown item still gets a full list. The n lists of a kind weigh 1/sqrt(n) each: ten context
    items say more than one, not ten times more. `exclude`: of `never_proposed`, and what a caller leaves out.
    """
    kinds = [[user_candidates] if user_candidates is not None else [], item_candidates, segment_candidates]
    lists = [one for kind in kinds for one in kind]
    weights = [weight for kind in kinds for weight in repeat(len(kind) ** -0.5 if kind else 0.0, len(kind))]
    return merge_lists(lists, weights, source_weights, limit, exclude)
