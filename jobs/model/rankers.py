"""What the model is compared with, and how its own scores become a ranking."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from contract.errors import BadInput
from contract.merge import never_proposed
from jobs.model.dataset import Query
from reranker.depth import LevelName
from reranker.scoring import Reranker

POPULAR_LENGTH = 100


def candidate_order(queries: Sequence[Query]) -> dict[str, tuple[str, ...]]:
    """The order that retrieval gave: what is served without a model."""
    return {query.query_id: query.candidates.item_ids for query in queries}


def popularity(queries: Sequence[Query], repeats: bool) -> dict[str, tuple[str, ...]]:
    """The most popular items of the 30 days before the split but those that are never proposed (contract.merge)."""
    catalogue = sorted(queries[0].items.values(), key=lambda item: (-item.popularity_30d, item.item_id))
    out = {}
    for query in queries:
        history = query.user.history if query.user else ()
        shown = never_proposed([item.item_id for item in query.context], history, repeats)
        popular = (item.item_id for item in catalogue[: POPULAR_LENGTH + len(shown)] if item.item_id not in shown)
        out[query.query_id] = tuple(popular)[:POPULAR_LENGTH]
    return out


def reordered(query: Query, scores: NDArray[np.float32]) -> tuple[str, ...]:
    """The first len(scores) candidates by score, ties as they stood; those behind keep their order.

    Raises BadInput for a score that is no finite number: sorted, it would pass for a bad one.
    """
    if not np.isfinite(scores).all():
        raise BadInput(
            f"query {query.query_id}: {int((~np.isfinite(scores)).sum())} of {len(scores)} scores are no finite "
            "numbers: look for such a value in its features or in the model's weights"
        )
    ids = query.candidates.item_ids
    return (*(ids[place] for place in np.argsort(-scores, kind="stable")), *ids[len(scores) :])


@dataclass(frozen=True, eq=False)
class Scored:
    """A network's scores of each query's first candidates, by query id, and the milliseconds that each query took."""

    final: dict[str, NDArray[np.float32]]
    text: dict[str, NDArray[np.float32]]
    milliseconds: list[float]


def scored(queries: Sequence[Query], reranker: Reranker, depth: int, label: str, level: LevelName = "full") -> Scored:
    """The first `depth` candidates as serving would score them at `level`.

    Raises BadInput for a score that is no number.
    """
    found = Scored({}, {}, [])
    read_ahead(reranker, queries, depth)
    for query in tqdm(queries, desc=label, unit="query", mininterval=1.0):
        start = time.perf_counter()
        head = query.candidates.take(range(min(depth, len(query.candidates))))
        scores = reranker.run(reranker.prepare(query.user, query.context, head, query.items, query.sources), level)
        found.milliseconds.append((time.perf_counter() - start) * 1000)
        if not (np.isfinite(scores.final).all() and np.isfinite(scores.text).all()):
            raise BadInput(
                f"{label} {reranker.version} gives query {query.query_id} a score that is no number: look for NaN in "
                "training_items and training_pairs, and train again"
            )
        found.final[query.query_id], found.text[query.query_id] = scores.final, scores.text
    return found


def read_ahead(reranker: Reranker, queries: Sequence[Query], depth: int) -> None:
    """Let the model meet the items that are to be scored, as it has in serving before a request comes."""
    candidates = {
        item_id: query.items[item_id]
        for query in queries
        for item_id in query.candidates.item_ids[:depth]
        if item_id in query.items
    }
    reranker.read_ahead(candidates.values())


def ranked(queries: Sequence[Query], scores: Mapping[str, NDArray[np.float32]]) -> dict[str, tuple[str, ...]]:
    """The candidates by their scores; those behind the scored ones keep their order."""
    return {query.query_id: reordered(query, scores[query.query_id]) for query in queries}


def flat_share(scores: Mapping[str, NDArray[np.float32]]) -> float:
    """The share of queries with several candidates whose scores are all equal: these keep the candidate order."""
    several = [values for values in scores.values() if len(values) > 1]
    return float(np.mean([np.ptp(values) == 0 for values in several])) if several else 0.0


def at_level(name: str, level: LevelName) -> str:
    """The name of a network's ranking at a level; its own at the best one."""
    return name if level == "full" else f"{name} at {level}"


def text_alone(name: str) -> str:
    """The name of a network's ranking by its text score alone."""
    return f"{name}, text alone"
