"""Many candidate lists for one query become one: by the night for training, by the gateway for serving."""

from collections.abc import Collection, Sequence

import numpy as np

from contract.codec import CandidateList

RRF_OFFSET = 60.0


def merge_lists(
    lists: Sequence[CandidateList],
    weights: Sequence[float],
    limit: int,
    exclude: Collection[str] = (),
) -> CandidateList:
    """Reciprocal rank fusion (Cormack, Clarke, Buettcher 2009) of `lists`, at most `limit` entries.

    Every list has the same source columns. An item's scores are the greatest that any list gives it,
    column by column; its source is that of the list where it stands best. Ties go to the list given first,
    then to the smaller item id, so that the night and the gateway agree to the last place.
    """
    if len(lists) != len(weights):
        raise ValueError(f"{len(lists)} lists, {len(weights)} weights")
    columns = max((candidates.scores.shape[1] for candidates in lists), default=0)
    fused: dict[str, float] = {}
    best: dict[str, tuple[float, int]] = {}
    scores: dict[str, np.ndarray] = {}
    left_out = frozenset(exclude)
    for candidates, weight in zip(lists, weights, strict=True):
        for rank, item_id in enumerate(candidates.item_ids):
            if item_id in left_out:
                continue
            part = weight / (RRF_OFFSET + rank)
            fused[item_id] = fused.get(item_id, 0.0) + part
            row = candidates.scores[rank]
            scores[item_id] = np.maximum(scores[item_id], row) if item_id in scores else row
            if item_id not in best or part > best[item_id][0]:
                best[item_id] = (part, int(candidates.source[rank]))
    order = sorted(fused, key=lambda item_id: (-fused[item_id], item_id))[:limit]
    return CandidateList.of(((i, best[i][1], scores[i].tolist()) for i in order), columns)
