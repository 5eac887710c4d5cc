"""Many candidate lists for one query become one: by the night for training, by the gateway for serving."""

from collections.abc import Collection, Sequence
from itertools import repeat
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from contract.codec import CandidateList

RRF_OFFSET = 60.0

# A query's lists: what was put together with the context items says more than what the user did before.
CONTEXT_WEIGHT = 1.0
USER_WEIGHT = 0.5


def merge_lists(
    lists: Sequence[CandidateList],
    weights: Sequence[float],
    limit: int,
    exclude: Collection[str] = frozenset(),
) -> CandidateList:
    """Reciprocal rank fusion (Cormack, Clarke, Buettcher 2009) of `lists`, at most `limit` entries.

    Every list has the same source columns and names an item once. An item's scores are the greatest that
    any list gives it, column by column; its source is that of the list where it stands best. Ties go to the
    list given first, then to the smaller item id, so that the night and the gateway agree to the last place.
    """
    if len(lists) != len(weights):
        raise ValueError(f"{len(lists)} lists, {len(weights)} weights")
    if len(lists) == 1:
        kept = [rank for rank, item_id in enumerate(lists[0].item_ids) if item_id not in exclude]
        return lists[0].take(kept[:limit])
    parts = [weight / (RRF_OFFSET + np.arange(len(one))) for one, weight in zip(lists, weights, strict=True)]
    fused: dict[str, float] = {}
    fused_of = fused.get
    for candidates, part in zip(lists, parts, strict=True):
        for item_id, value in zip(candidates.item_ids, part.tolist(), strict=True):
            fused[item_id] = fused_of(item_id, 0.0) + value
    for item_id in exclude:
        fused.pop(item_id, None)
    ranked = sorted(fused.items(), key=itemgetter(1), reverse=True)
    order = _settle_ties(ranked, limit)
    return _with_scores(order, lists, parts)


def _settle_ties(ranked: list[tuple[str, float]], limit: int) -> tuple[str, ...]:
    """The ids of the first `limit` entries, where entries of equal value stand in order of their ids."""
    values = np.array([value for _, value in ranked])
    end = 0
    for start in np.flatnonzero(values[1:] == values[:-1]).tolist():
        if start >= limit:
            break
        if start < end:  # inside a run that has been sorted
            continue
        end = start + 1
        while end < len(ranked) and ranked[end][1] == ranked[start][1]:
            end += 1
        ranked[start:end] = sorted(ranked[start:end])
        end -= 1
    return tuple([item_id for item_id, _ in ranked[:limit]])


def _with_scores(
    order: tuple[str, ...], lists: Sequence[CandidateList], parts: Sequence[NDArray[np.floating]]
) -> CandidateList:
    """The items of `order` with the greatest scores of any list, and the source of the list with the greatest part."""
    n = len(order)
    place = dict(zip(order, range(n), strict=True))
    columns = max((candidates.scores.shape[1] for candidates in lists), default=0)
    scores = np.full((n, columns), -np.inf, np.float32)
    source = np.zeros(n, np.uint8)
    best = np.full(n, -np.inf)
    for candidates, part in zip(lists, parts, strict=True):
        places = np.fromiter(map(place.get, candidates.item_ids, repeat(n)), np.intp, len(candidates))
        kept = np.flatnonzero(places < n)
        to = places[kept]
        scores[to] = np.maximum(scores[to], candidates.scores[kept])
        better = kept[part[kept] > best[to]]
        best[places[better]] = part[better]
        source[places[better]] = candidates.source[better]
    return CandidateList(order, source, scores)


def merge_query(
    user_candidates: CandidateList | None,
    item_candidates: Sequence[CandidateList],
    segment_candidates: Sequence[CandidateList],
    exclude: Collection[str],
    limit: int,
) -> CandidateList:
    """What the ranker sees of one query: the same for a training pair and for a request.

    `item_candidates`: the lists of the context items that have one, in context order (weight 1 each);
    `user_candidates`: the user's list, or None (weight 0.5). Where these leave room below `limit`, the
    popular lists of `segment_candidates` follow in the order given (the context items' segments, the
    user's, then `all`), so that a new user or an unknown item still gets a full list.
    `exclude`: never proposed; the caller names the context items here.
    """
    lists = [*item_candidates, *([user_candidates] if user_candidates is not None else [])]
    weights = [CONTEXT_WEIGHT] * len(item_candidates) + [USER_WEIGHT] * (user_candidates is not None)
    merged = merge_lists(lists, weights, limit, exclude)
    taken = {*exclude, *merged.item_ids}
    parts = [merged] if len(merged) else []
    room = limit - len(merged)
    for popular in segment_candidates:
        if room <= 0:
            break
        fresh = [rank for rank, item_id in enumerate(popular.item_ids) if item_id not in taken][:room]
        if fresh:
            parts.append(popular.take(fresh))
            taken.update(parts[-1].item_ids)
            room -= len(fresh)
    if len(parts) < 2:
        return parts[0] if parts else merged
    return CandidateList(
        tuple(item_id for part in parts for item_id in part.item_ids),
        np.concatenate([part.source for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )
