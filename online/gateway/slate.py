"""From candidates to a slate: filter, order, title. Pure: it takes values and returns values."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from contract.codec import CandidateList
from contract.records import ItemRecord
from online.gateway.query import Filter

Records = dict[str, ItemRecord]


class Why(msgspec.Struct, frozen=True):
    """Where an item came from. `candidate_rank` counts from 1, before the model; `sources` are their own scores."""

    candidate_rank: int
    model_score: float | None
    sources: dict[str, float]


class SlateItem(msgspec.Struct, frozen=True):
    """One place of a slate; `rank` counts from 1.

    `score` is the model's at level `full` (null for items behind those it scored), else that of `source`.
    """

    item_id: str
    title: str | None
    score: float | None
    rank: int
    source: str
    why: Why | UnsetType = UNSET


class Kept(NamedTuple):
    """Candidates that passed, as positions in the merged list, and the records they were judged by."""

    positions: list[int]
    records: Records


def passes(item: ItemRecord | None, wanted: Filter) -> bool:
    """Whether the filter lets an item through; an item without a record passes only an empty filter."""
    if item is None:
        return not wanted.categories and wanted.price_min is None and wanted.price_max is None
    if wanted.available and not item.available:
        return False
    if wanted.categories and not set(wanted.categories).intersection(item.categories):
        return False
    if wanted.price_min is None and wanted.price_max is None:
        return True
    if item.price is None:
        return False
    return (wanted.price_min is None or item.price >= wanted.price_min) and (
        wanted.price_max is None or item.price <= wanted.price_max
    )


def keep(
    candidates: CandidateList, wanted: Filter, enough: int, records_of: Callable[[Sequence[str]], Records]
) -> Kept:
    """The first `enough` candidates that pass, best first; records are looked up only as far as needed.

    A selective filter looks at the whole list in one go, so that it costs one read and not several.
    """
    selective = bool(wanted.categories) or wanted.price_min is not None or wanted.price_max is not None
    step = len(candidates) if selective else enough
    kept = Kept([], {})
    start = 0
    while start < len(candidates) and len(kept.positions) < enough:
        ids = candidates.item_ids[start : start + step]
        records = records_of(ids)
        kept.records.update(records)
        if selective or not wanted.available:
            passing = [place for place, id in enumerate(ids, start) if passes(records.get(id), wanted)]
        else:  # as most ask: the same without a call an item, which took half of the time
            sold_out = {id for id, record in records.items() if not record.available}
            passing = [place for place, id in enumerate(ids, start) if id not in sold_out]
        kept.positions.extend(passing)
        start += step
    del kept.positions[enough:]
    return kept


def without(candidates: CandidateList, left_out: Collection[str]) -> CandidateList:
    """The candidates but those left out, in order."""
    hidden = frozenset(left_out)
    if hidden.isdisjoint(candidates.item_ids):
        return candidates
    return candidates.take([i for i, id in enumerate(candidates.item_ids) if id not in hidden])


def in_model_order(positions: Sequence[int], scores: Sequence[float]) -> list[int]:
    """`positions` with the first len(scores) sorted by score, best first, ties in candidate order."""
    order = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
    return [*[positions[i] for i in order], *positions[len(scores) :]]


def slate_items(
    candidates: CandidateList,
    positions: Sequence[int],
    records: Records,
    sources: Sequence[str],
    model_scores: dict[int, float] | None,
    explain: bool,
) -> tuple[SlateItem, ...]:
    """The places of the slate. `model_scores` by position; None where no model was asked."""
    items = []
    for rank, position in enumerate(positions, 1):
        item_id = candidates.item_ids[position]
        record = records.get(item_id)
        column = int(candidates.source[position])
        scored = None if model_scores is None else model_scores.get(position)
        if model_scores is None:
            score = float(candidates.scores[position, column]) if column < candidates.scores.shape[1] else None
        else:
            score = scored
        items.append(
            SlateItem(
                item_id,
                record.title if record is not None else None,
                score,
                rank,
                sources[column] if column < len(sources) else "unknown",
                _why(candidates, position, sources, scored) if explain else UNSET,
            )
        )
    return tuple(items)


def _why(candidates: CandidateList, position: int, sources: Sequence[str], scored: float | None) -> Why:
    proposed = zip(sources, candidates.scores[position].tolist(), strict=False)
    return Why(position + 1, scored, {name: score for name, score in proposed if score != 0})
