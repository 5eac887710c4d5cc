"""Many candidate lists for one query become one: by the night for training, by the gateway for serving."""

from collections.abc import Collection, Sequence

import numpy as np

from contract.codec import CandidateList

RRF_OFFSET = 60.0

# A query's lists: what was put together with the context items says more than what the user did before.
CONTEXT_WEIGHT = 1.0
USER_WEIGHT = 0.5


def merge_lists(
    lists: Sequence[CandidateList],
    weights: Sequence[float],
    limit: int,
    exclude: Collection[str] = (),
) -> CandidateList:
    """Reciprocal rank fusion (Cormack, Clarke, Buettcher 2009) of `lists`, at most `limit` entries.

    Every list has the same source columns and names an item once. An item's scores are the greatest that
    any list gives it, column by column; its source is that of the list where it stands best. Ties go to the
    list given first, then to the smaller item id, so that the night and the gateway agree to the last place.
    """
    if len(lists) != len(weights):
        raise ValueError(f"{len(lists)} lists, {len(weights)} weights")
    columns = max((candidates.scores.shape[1] for candidates in lists), default=0)
    left_out = frozenset(exclude)
    place: dict[str, int] = {}
    fused: list[float] = []
    best: list[float] = []
    source: list[int] = []
    rows: list[list[int]] = []
    for candidates, weight in zip(lists, weights, strict=True):
        sources = candidates.source.tolist()
        row = []
        for rank, item_id in enumerate(candidates.item_ids):
            if item_id in left_out:
                row.append(-1)
                continue
            part = weight / (RRF_OFFSET + rank)
            at = place.setdefault(item_id, len(fused))
            if at == len(fused):
                fused.append(part)
                best.append(part)
                source.append(sources[rank])
            else:
                fused[at] += part
                if part > best[at]:
                    best[at] = part
                    source[at] = sources[rank]
            row.append(at)
        rows.append(row)
    ids = list(place)
    order = sorted(range(len(ids)), key=lambda at: (-fused[at], ids[at]))[:limit]
    scores = np.full((len(ids), columns), -np.inf, np.float32)
    for candidates, row in zip(lists, rows, strict=True):
        places = np.array(row, np.intp)
        kept = places >= 0
        scores[places[kept]] = np.maximum(scores[places[kept]], candidates.scores[kept])
    return CandidateList(tuple(ids[at] for at in order), np.array(source, np.uint8)[order], scores[order])


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
