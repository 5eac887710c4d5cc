"""Many candidate lists for one query become one: by the night for training, by the gateway for serving."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import count, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.codec import CandidateList


class Summed(NamedTuple):
    """What lists say together: the row of each item, in order of rows, and float32[n, s], each source's score of it."""

    rows: dict[str, int]
    scores: NDArray[np.float32]


def summed(
    lists: Sequence[CandidateList], weights: Sequence[float], sources: int, onto: Summed | None = None
) -> Summed:
    """A source's score of an item is the sum of its scores in the lists, each times the list's weight, and of that in
    `onto`, which stays as it is. `lists` name an item once and have `sources` columns."""
    known, before = onto if onto is not None else ({}, np.zeros((0, sources), np.float32))
    rows = defaultdict(count(len(known)).__next__, known)
    row_of = rows.__getitem__
    places = [np.array(list(map(row_of, one.item_ids)), np.intp) for one in lists]
    scores = np.zeros((len(rows), sources), np.float32)
    scores[: len(before)] = before
    for one, at, weight in zip(lists, places, weights, strict=True):
        scores[at] += np.float32(weight) * one.scores
    rows.default_factory = None
    return Summed(rows, scores)


def best(scored: Summed, source_weights: Sequence[float], limit: int, exclude: Collection[str]) -> CandidateList:
    """At most `limit` items, by the weighted sum of the sources' scores.

    An item's source is the one that adds most to it (of equals the first). Ties go to the smaller item id, so that the
    night and the gateway agree to the last place.
    """
    weights = np.asarray(source_weights, np.float32)
    fused = np.zeros(len(scored.rows), np.float32)
    for column, weight in enumerate(weights):  # one after the other: the order of a sum is part of the rule
        fused += scored.scores[:, column] * weight
    out = list({scored.rows[item_id] for item_id in exclude if item_id in scored.rows})
    fused[out] = -np.inf
    limit = min(limit, len(fused) - len(out))
    kept = np.arange(len(fused))
    if 0 < limit < len(fused):  # those that tie with the last stay to be settled
        kept = np.flatnonzero(fused >= np.partition(fused, len(fused) - limit)[len(fused) - limit])
    kept = kept[(-fused[kept]).argsort(kind="stable")]
    ids = list(scored.rows)
    rows = np.array(_by_id_among_equals(kept.tolist(), fused[kept], ids)[:limit], np.intp)
    scores = scored.scores[rows]
    return CandidateList(
        tuple([ids[row] for row in rows.tolist()]), (scores * weights).argmax(1).astype(np.uint8), scores
    )


def _by_id_among_equals(rows: list[int], values: NDArray[np.float32], ids: Sequence[str]) -> list[int]:
    """`rows` in the order of their `values`; those of one value, which are few, by their ids."""
    ties = np.flatnonzero(values[1:] == values[:-1]).tolist()
    while ties:
        first = last = ties.pop()
        while ties and ties[-1] == first - 1:
            first = ties.pop()
        rows[first : last + 2] = sorted(rows[first : last + 2], key=ids.__getitem__)
    return rows


def merge_lists(
    lists: Sequence[CandidateList],
    weights: Sequence[float],
    source_weights: Sequence[float],
    limit: int,
    exclude: Collection[str] = frozenset(),
) -> CandidateList:
    """The `best` of what `lists` say together, `weights` one number a list, `source_weights` one a column."""
    if len(lists) != len(weights):
        raise ValueError(f"{len(lists)} lists, {len(weights)} weights")
    return best(summed(lists, weights, len(source_weights)), source_weights, limit, exclude)


def never_proposed(context: Collection[str], history: Collection[str], repeats: bool) -> frozenset[str]:
    """What a query is not offered: its context, and where nothing is chosen twice the user's history too."""
    return frozenset(context) if repeats else frozenset((*context, *history))


def popular_scores(segment_candidates: Sequence[CandidateList], sources: int) -> Summed:
    """What the popular lists of a query's segments say together, which many queries have in common."""
    return summed(segment_candidates, _shared(segment_candidates), sources)


def merge_query(
    user_candidates: CandidateList | None,
    item_candidates: Sequence[CandidateList],
    popular: Summed,
    source_weights: Sequence[float],
    exclude: Collection[str],
    limit: int,
) -> CandidateList:
    """What the ranker sees of one query: the same for a training pair and for a request.

    `item_candidates`: the lists of the context items that have one; `user_candidates`: the user's list, or None;
    `popular`: of the segments of the context items, of the user's, and of `all`, so that a new user or an unknown item
    still gets a full list. The n lists of a kind weigh 1/sqrt(n) each: ten context items say more than one, not ten
    times more. `exclude`: of `never_proposed`, and what a caller leaves out.
    """
    kinds = [[user_candidates] if user_candidates is not None else [], item_candidates]
    lists = [one for kind in kinds for one in kind]
    weights = [weight for kind in kinds for weight in _shared(kind)]
    return best(summed(lists, weights, len(source_weights), popular), source_weights, limit, exclude)


def _shared(lists: Sequence[CandidateList]) -> list[float]:
    return list(repeat(len(lists) ** -0.5, len(lists))) if lists else []
