"""The features of a pair: one row a candidate, in order, from the records alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.codec import CandidateList
from contract.features import PAIR_FEATURES, TEXT_FEATURES, TEXT_HISTORY, align, feature_names, pair_features
from contract.records import ItemRecord, UserRecord
from contract.vectors import pack_vectors

SOURCES = ("als", "popularity")
MUG = ItemRecord(
    "mug", "A mug", categories=("kitchen", "gift"), price=4.0, segment="kitchen",
    popularity_7d=1, popularity_30d=7, buyers_30d=3, age_days=9.0,
)  # fmt: skip
PAN = ItemRecord("pan", "A pan", categories=("kitchen",), price=16.0, segment="kitchen")
SOAP = ItemRecord("soap", "Soap", segment="bath")
ITEMS = {item.item_id: item for item in (MUG, PAN, SOAP)}
USER = UserRecord("u1", segment="bath", history=("pan", "mug"), mean_price=8.0)


def listed(*ids: str) -> CandidateList:
    return CandidateList.of(((id, 0, (0.5 + place, 0.25)) for place, id in enumerate(ids)), 2)


def row(item_id: str, user: UserRecord | None = None, context: tuple[ItemRecord, ...] = ()) -> dict[str, float]:
    """The features of one candidate, by name."""
    values = pair_features(user, context, listed(item_id), ITEMS, SOURCES)
    return dict(zip(feature_names(SOURCES), values[0].tolist(), strict=True))


def test_names_and_columns_fit() -> None:
    values = pair_features(USER, [PAN], listed("mug", "pan", "soap"), ITEMS, SOURCES)
    assert values.shape == (3, len(feature_names(SOURCES)))
    assert values.dtype == np.float32
    assert feature_names(SOURCES)[-2:] == ("source:als", "source:popularity")
    assert len(set(feature_names(SOURCES))) == len(PAIR_FEATURES) + 2


def test_counts_are_logarithms_and_scores_are_the_sources_own() -> None:
    features = row("mug")
    assert features["log_popularity_7d"] == pytest.approx(np.log(2))
    assert features["log_popularity_30d"] == pytest.approx(np.log(8))
    assert features["log_buyers_30d"] == pytest.approx(np.log(4))
    assert features["log_age_days"] == pytest.approx(np.log(10))
    assert (features["source:als"], features["source:popularity"]) == (0.5, 0.25)


def test_the_place_in_the_candidate_order_counts() -> None:
    values = pair_features(None, [], listed("mug", "pan", "soap"), ITEMS, SOURCES)
    assert values[:, PAIR_FEATURES.index("reciprocal_rank")].tolist() == pytest.approx([1, 1 / 2, 1 / 3])


def test_an_unknown_item_is_unpopular_of_no_price_and_of_no_segment() -> None:
    features = row("never seen", UserRecord("u2", segment=""), (MUG,))
    assert {name for name, value in features.items() if value} == {
        "reciprocal_rank", "source:als", "source:popularity", "segment_is_users",
        "log_context_items", "log_user_days",
    }  # fmt: skip
    # A user's segment is never empty in the lake: `all` where it is unknown.
    assert row("never seen", UserRecord("u2"), (MUG,))["segment_is_users"] == 0


def test_a_price_is_seen_against_the_context_else_against_the_users_past() -> None:
    assert row("mug", USER, (PAN,))["price_log_ratio"] == pytest.approx(np.log(4 / 16))
    assert row("mug", USER)["price_log_ratio"] == pytest.approx(np.log(4 / 8))
    assert row("mug")["price_known"] == 0
    assert row("soap", USER)["price_known"] == 0


@pytest.mark.parametrize("price", [0.0, -1.0, None])
def test_a_price_of_nothing_is_unknown(price: float | None) -> None:
    items = {"x": ItemRecord("x", "X", price=price)}
    values = pair_features(USER, [], listed("x"), items, SOURCES)
    assert values[0, PAIR_FEATURES.index("price_known")] == 0
    assert np.isfinite(values).all()


def test_the_past_counts_by_its_place() -> None:
    assert (row("pan", USER)["in_history"], row("pan", USER)["history_recency"]) == (1, 1)
    assert (row("mug", USER)["in_history"], row("mug", USER)["history_recency"]) == (1, 0.5)
    assert (row("soap", USER)["in_history"], row("soap", USER)["history_recency"]) == (0, 0)


def test_segments_and_categories_are_compared() -> None:
    features = row("mug", USER, (PAN,))
    assert (features["segment_is_users"], features["segment_is_contexts"], features["category_overlap"]) == (0, 1, 0.5)
    assert row("soap", USER, (PAN,))["segment_is_users"] == 1


def test_what_is_known_of_the_query_stands_beside_every_candidate() -> None:
    user = UserRecord("u", history=("pan",), sessions=7, days_since_last=1.0)
    values = pair_features(user, [PAN, SOAP, MUG], listed("mug", "soap"), ITEMS, SOURCES)
    named = [dict(zip(feature_names(SOURCES), one.tolist(), strict=True)) for one in values]
    for features in named:
        assert features["log_context_items"] == pytest.approx(np.log(4))
        assert features["log_history_items"] == pytest.approx(np.log(2))
        assert features["log_user_sessions"] == pytest.approx(np.log(8))
        assert features["log_user_days"] == pytest.approx(np.log(2))
    assert row("mug")["log_user_days"] == -1


def test_a_price_and_a_trend_are_the_items_own() -> None:
    assert row("mug")["log_price"] == pytest.approx(np.log(4))
    assert row("soap")["log_price"] == 0
    assert row("mug")["popularity_trend"] == pytest.approx(np.log1p(30 / 7) - np.log(8))


def seen_as(direction: list[float]) -> bytes:
    return pack_vectors(np.array([direction], np.float32))[0]


EAST, NORTH, NORTH_EAST = (seen_as(one) for one in ([1, 0], [0, 2], [3, 3]))


def test_texts_are_compared_with_the_context_and_the_past() -> None:
    items = {
        name: ItemRecord(name, name, vector=vector)
        for name, vector in (("e", EAST), ("n", NORTH), ("ne", NORTH_EAST), ("none", b""))
    }
    user = UserRecord("u", history=("ne", "none", "never seen", "e"))
    values = pair_features(user, [items["n"], items["e"]], listed("e", "ne", "none"), items, SOURCES)
    columns = [
        PAIR_FEATURES.index(f"text_{name}") for name in ("context_mean", "context_max", "context_last", "history")
    ]
    half = 2**-0.5
    assert values[:, columns] == pytest.approx(
        np.array([[0.5, 1, 1, (half + 0 + 1) / 3], [half, half, half, (1 + 0 + half) / 3], [0, 0, 0, 0]]), abs=1e-3
    )


def test_only_the_newest_of_a_history_are_read() -> None:
    items = {"old": ItemRecord("old", "", vector=EAST), "mug": ItemRecord("mug", "", vector=EAST)}
    past = tuple(f"other {n}" for n in range(TEXT_HISTORY))
    for history, expected in (((*past[1:], "old"), 1.0), ((*past, "old"), 0.0)):
        values = pair_features(UserRecord("u", history=history), [], listed("mug"), items, SOURCES)
        assert values[0, PAIR_FEATURES.index("text_history")] == pytest.approx(expected)


def test_a_feature_that_is_made_of_texts_is_named_so() -> None:
    assert set(TEXT_FEATURES) < set(feature_names(("content",)))
    assert all(name in TEXT_FEATURES for name in PAIR_FEATURES if name.startswith("text_"))


def test_no_candidates_are_no_rows() -> None:
    assert pair_features(USER, [PAN], CandidateList.empty(2), ITEMS, SOURCES).shape == (0, len(feature_names(SOURCES)))


@given(
    st.permutations(["mug", "pan", "soap", "other"]),
    st.sampled_from([None, 0.0, 0.01, 2.5, 1e9]),
    st.sampled_from([None, 0.0, 0.01, 2.5, 1e9]),
)
def test_whatever_the_records_say_the_features_are_finite(
    ids: list[str], price: float | None, mean_price: float | None
) -> None:
    items = {**ITEMS, "other": ItemRecord("other", "", price=price, popularity_7d=2**31, age_days=-3.0)}
    user = UserRecord("u", history=tuple(ids[:2]), mean_price=mean_price)
    assert np.isfinite(pair_features(user, [], listed(*ids), items, SOURCES)).all()


@given(st.permutations(["a", "b", "c"]), st.lists(st.sampled_from("abcxyz"), unique=True))
def test_columns_are_found_by_name_and_absent_ones_are_0(have: list[str], want: list[str]) -> None:
    features = np.array([[ord(name) + 1000 * place for name in have] for place in range(2)], np.float32)
    aligned = align(features, have, want)
    assert aligned.shape == (2, len(want))
    expected = [[ord(name) + 1000 * place if name in have else 0 for name in want] for place in range(2)]
    assert aligned.tolist() == expected
