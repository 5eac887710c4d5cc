"""The dense features of a (query, candidate) pair: one function for the training pairs and for the ranker.

Every input is a record of the generation, so that both sides compute from the same bytes.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from contract.codec import CandidateList
from contract.records import ItemRecord, UserRecord
from contract.vectors import unit_rows

# Change the version with any change of meaning below: a model refuses a generation of another version.
VERSION = "3"

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
    "log_price",
    "popularity_trend",
    "log_context_items",
    "log_history_items",
    "log_user_sessions",
    "log_user_days",
    "text_context_mean",
    "text_context_max",
    "text_context_last",
    "text_history",
)
# Made of texts: a ranker that is to know none leaves these out. The order of the candidates holds what the source
# `content` says.
TEXT_FEATURES = (
    "reciprocal_rank",
    "text_context_mean",
    "text_context_max",
    "text_context_last",
    "text_history",
    "source:content",
)

# So many items of a user's history are compared by their texts; whoever scores must know these items' records.
TEXT_HISTORY = 10
# The mean of so many of the most alike counts: a history has several themes.
ALIKE = 3


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

    `context` is in the order of time, the newest last. `items` has the records of the candidates and of the first
    TEXT_HISTORY items of the user's history, as far as they are known. A candidate that it does not know counts as
    unpopular, of unknown price and of no segment; one without a vector is like nothing.
    """
    known = [items.get(item_id) or ItemRecord(item_id, "", segment="") for item_id in candidates.item_ids]
    blocks = (
        _of_items(user, context, known),
        np.tile(_of_query(user, context), (len(known), 1)),
        _of_texts(user, context, known, items),
        candidates.scores[:, : len(sources)],
    )
    return np.concatenate(blocks, axis=1, dtype=np.float32)


def _of_items(
    user: UserRecord | None, context: Sequence[ItemRecord], known: Sequence[ItemRecord]
) -> NDArray[np.float32]:
    """float32[n, 14]: reciprocal_rank to popularity_trend."""
    history = {item_id: place for place, item_id in enumerate(user.history)} if user else {}
    reference_price = _reference_price(user, context)
    context_segments = {item.segment for item in context}
    context_categories = {category for item in context for category in item.categories}
    raw = np.zeros((len(known), 14))
    for row, item in enumerate(known):
        place = history.get(item.item_id)
        priced = item.price is not None and item.price > 0
        raw[row] = (
            row + 1,
            item.popularity_7d,
            item.popularity_30d,
            item.buyers_30d,
            max(item.age_days, 0.0),
            (reference_price or 1.0) if priced else 1.0,
            priced and reference_price is not None,
            place is not None,
            0.0 if place is None else 1.0 / (place + 1),
            user is not None and item.segment == user.segment,
            item.segment in context_segments,
            sum(category in context_categories for category in item.categories) / (len(item.categories) or 1),
            item.price if priced else 1.0,
            item.popularity_7d * 30 / 7,
        )
    # Logarithms a column at a time: one by one they took most of a request's feature time.
    out = raw.copy()
    out[:, 0] = 1.0 / raw[:, 0]
    out[:, 1:5] = np.log1p(raw[:, 1:5])
    out[:, 5] = np.where(raw[:, 6] > 0, np.clip(np.log(raw[:, 12] / raw[:, 5]), -4, 4), 0.0)
    out[:, 12] = np.log(raw[:, 12])
    out[:, 13] = np.log1p(raw[:, 13]) - out[:, 2]
    return out.astype(np.float32)


def _of_query(user: UserRecord | None, context: Sequence[ItemRecord]) -> NDArray[np.float32]:
    """float32[4], equal for all candidates: what others mean depends on how much is known. -1: nothing of the user."""
    days = -1.0 if user is None or user.days_since_last is None else np.log1p(max(user.days_since_last, 0.0))
    return np.array(
        (
            np.log1p(len(context)),
            np.log1p(len(user.history)) if user else 0.0,
            np.log1p(user.sessions) if user else 0.0,
            days,
        ),
        np.float32,
    )


def _of_texts(
    user: UserRecord | None,
    context: Sequence[ItemRecord],
    known: Sequence[ItemRecord],
    items: Mapping[str, ItemRecord],
) -> NDArray[np.float32]:
    """float32[n, 4]: cosines of the candidate's text to the context's (mean, greatest, newest), and to the past's."""
    out = np.zeros((len(known), 4), np.float32)
    past = [items[item_id] for item_id in (user.history[:TEXT_HISTORY] if user else ()) if item_id in items]
    n, told = len(known), len(context)
    vectors = unit_rows([item.vector for item in (*known, *context, *past)])
    if not n or not vectors.shape[1]:
        return out
    alike = vectors[:n] @ vectors[n:].T
    if told:
        out[:, 0], out[:, 1], out[:, 2] = alike[:, :told].mean(1), alike[:, :told].max(1), alike[:, told - 1]
    if past:
        out[:, 3] = np.sort(alike[:, told:], axis=1)[:, -ALIKE:].mean(1)
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
