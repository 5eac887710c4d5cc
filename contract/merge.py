"""Many candidate lists for one query become one: by the night for training, by the gateway for serving."""

from collections.abc import Collection, Sequence
from itertools import count, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.codec import CandidateList

NO_ROWS = np.zeros(0, np.intp)


class Summed(NamedTuple):
    """What lists say together: float32[n, s], each source's score of the item of each row, and the row of each item.

    Rows are the places of all lists, one after the other. Where an item comes again, its first row stands for it, and
    the others are `void`.
    """

    ids: tuple[str, ...]
    rows: dict[str, int]
    scores: NDArray[np.float32]
    void: NDArray[np.intp]


def summed(
    lists: Sequence[CandidateList], weights: Sequence[float], sources: int, onto: Summed | None = None
) -> Summed:
    """A source's score of an item is the sum of its scores in the lists, each times the list's weight, and of that in
    `onto`, which stays as it is. `lists` name an item once and have `sources` columns."""
    before = onto if onto is not None else Summed((), {}, np.zeros((0, sources), np.float32), NO_ROWS)
    known = len(before.ids)
    new: tuple[str, ...] = sum([one.item_ids for one in lists], ())
    rows = before.rows.copy()
    at = np.fromiter(map(rows.setdefault, new, count(known)), np.intp, len(new))
    scores = np.zeros((known + len(new), sources), np.float32)
    scores[:known] = before.scores
    end = 0
    for one, weight in zip(lists, weights, strict=True):
        start, end = end, end + len(one)
        scores[at[start:end]] += one.scores if weight == 1 else one.scores * np.float32(weight)
    void = known + (at != np.arange(known, known + len(new))).nonzero()[0]
    return Summed(before.ids + new, rows, scores, np.concatenate((before.void, void)))


def best(scored: Summed, source_weights: Sequence[float], limit: int, exclude: Collection[str]) -> CandidateList:
    """At most `limit` items, by the weighted sum of the sources' scores.

    An item's source is the one that adds most to it (of equals the first). Ties go to the smaller item id, so that the
    night and the gateway agree to the last place.
    """
    weights = np.asarray(source_weights, np.float32)
    # As rows, one a source, so that they are added one after the other: the order of a sum is part of the rule.
    fused = np.add.reduce(np.multiply(scored.scores.T, weights[:, None], order="C"))
    out = list({scored.rows[item_id] for item_id in exclude if item_id in scored.rows})
    fused[out] = fused[scored.void] = -np.inf
    limit = min(limit, len(scored.rows) - len(out))
    if 0 < limit < len(fused):  # those that tie with the last stay to be settled
        ordered = fused.copy()
        ordered.partition(len(fused) - limit)
        kept = (fused >= ordered[len(fused) - limit]).nonzero()[0]
    else:
        kept = np.arange(len(fused))
    kept = kept[(-fused[kept]).argsort()]
    _by_id_among_equals(kept, fused[kept], scored.ids)
    rows = kept[:limit]
    scores = scored.scores[rows]
    ids = tuple([scored.ids[row] for row in rows.tolist()])
    return CandidateList(ids, (scores * weights).argmax(1).astype(np.uint8), scores)


def _by_id_among_equals(rows: NDArray[np.intp], values: NDArray[np.float32], ids: Sequence[str]) -> None:
    """Put `rows`, which are in the order of their `values`, in that of their ids where values are equal, as few are."""
    ties = (values[1:] == values[:-1]).nonzero()[0].tolist()
    while ties:
        first = last = ties.pop()
        while ties and ties[-1] == first - 1:
            first = ties.pop()
        tied = rows[first : last + 2]
        tied[:] = sorted(tied.tolist(), key=ids.__getitem__)


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
    found = summed(segment_candidates, _shared(segment_candidates), sources)
    ids = tuple(found.rows)
    return Summed(ids, dict(zip(ids, count())), found.scores[list(found.rows.values())], NO_ROWS)


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
