"""The dense features of a (query, candidate) pair: one function for the training pairs and for the ranker.

Every input is a record of the generation, so that both sides compute from the same bytes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from contract.codec import CandidateList
from contract.records import ItemRecord, UserRecord

# Change the version with any change of meaning below: a model refuses a generation of another version.
VERSION = "2"

PAIR_FEATURES = (
    "reciprocal_rank",
    "log_popularity_7d",
    "log_popularity_30d",
    "log_buyers_30d",
    "log_age_days",
    "price_log_ratio",
    "price_known",
    "in_history",
    "history_recency",
    "segment_is_users",
    "segment_is_contexts",
    "category_overlap",
)


def feature_names(sources: Sequence[str]) -> tuple[str, ...]:
    """The columns of `pair_features` for these candidate sources."""
    return (*PAIR_FEATURES, *(f"source:{name}" for name in sources))


def pair_features(
    user: UserRecord | None,
    context: Sequence[ItemRecord],
    candidates: CandidateList,
    items: Mapping[str, ItemRecord],
    sources: Sequence[str],
) -> NDArray[np.float32]:
    """float32[n, len(feature_names(sources))], in the candidates' order.

    A candidate that `items` does not know counts as unpopular, of unknown price and of no segment.
    """
    n = len(candidates)
    history = {item_id: place for place, item_id in enumerate(user.history)} if user else {}
    reference_price = _reference_price(user, context)
    context_segments = {item.segment for item in context}
    context_categories = {category for item in context for category in item.categories}
    out = np.zeros((n, len(PAIR_FEATURES) + len(sources)), np.float32)
    for row, item_id in enumerate(candidates.item_ids):
        item = items.get(item_id) or ItemRecord(item_id, "", segment="")
        place = history.get(item_id)
        priced = item.price is not None and item.price > 0 and reference_price is not None
        overlap = len(context_categories.intersection(item.categories))
        out[row, : len(PAIR_FEATURES)] = (
            1.0 / (row + 1),
            np.log1p(item.popularity_7d),
            np.log1p(item.popularity_30d),
            np.log1p(item.buyers_30d),
            np.log1p(max(item.age_days, 0.0)),
            float(np.clip(np.log(item.price / reference_price), -4, 4)) if priced else 0.0,  # type: ignore[operator]
            float(priced),
            float(place is not None),
            1.0 / (place + 1) if place is not None else 0.0,
            float(user is not None and item.segment == user.segment),
            float(item.segment in context_segments),
            overlap / len(item.categories) if item.categories else 0.0,
        )
    out[:, len(PAIR_FEATURES) :] = candidates.scores[:, : len(sources)]
    return out


def align(features: NDArray[np.float32], have: Sequence[str], want: Sequence[str]) -> NDArray[np.float32]:
    """Columns `want` out of columns `have`; a column that is not there (a source retired since) is 0."""
    if tuple(have) == tuple(want):
        return features
    place = {name: column for column, name in enumerate(have)}
    out = np.zeros((len(features), len(want)), np.float32)
    for column, name in enumerate(want):
        if name in place:
            out[:, column] = features[:, place[name]]
    return out


def _reference_price(user: UserRecord | None, context: Sequence[ItemRecord]) -> float | None:
    prices = [item.price for item in context if item.price is not None and item.price > 0]
    if prices:
        return float(np.mean(prices))
    return user.mean_price if user and user.mean_price and user.mean_price > 0 else None
