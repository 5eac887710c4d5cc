"""Recall by source, and the search for weights, on lists written out."""

import pytest

from contract.codec import CandidateList
from jobs.model.source_recall import Asked, SourceLists, combinations, recall, tuned

SOURCES = ("one", "two")


def listed(source: int, **scores: float) -> CandidateList:
    return CandidateList.of(
        ((item, source, [score * (column == source) for column in range(2)]) for item, score in scores.items()), 2
    )


LISTS = SourceLists(
    SOURCES,
    {
        ("item", "c"): {"one": listed(0, a=1.0, b=0.5, c=0.4), "two": listed(1, d=0.9, a=0.3)},
        ("user", "ann"): {"two": listed(1, e=0.7)},
        ("segment", "all"): {"one": listed(0, z=0.1)},
    },
    length=3,
)
ASKED = [
    Asked(frozenset("c"), frozenset("ad"), (("user", "ann"), ("item", "c"), ("segment", "all"))),
    Asked(frozenset("x"), frozenset("z"), (("item", "x"), ("segment", "all"))),
]
EVEN = {"one": 1.0, "two": 1.0}


def test_a_key_is_merged_as_the_night_merges_it() -> None:
    published = LISTS.merged(EVEN)
    assert published["item", "c"].item_ids == ("a", "d", "b")  # a by both; c is its own key
    assert LISTS.merged({"two": 1.0})["item", "c"].item_ids == ("d", "a")
    assert ("segment", "all") not in LISTS.merged({"two": 1.0})


def test_recall_is_the_mean_share_of_labels_found() -> None:
    # First query: a 1.3, d .9, e .7, b .5, z .1. Second: only z.
    assert recall(ASKED, LISTS, EVEN, [1, 2]) == {1: pytest.approx((0.5 + 1.0) / 2), 2: pytest.approx(1.0)}
    assert recall(ASKED, LISTS, {"one": 1.0}, [2]) == {2: pytest.approx((0.5 + 1.0) / 2)}
    assert recall(ASKED, LISTS, {"two": 1.0}, [2]) == {2: pytest.approx((0.5 + 0.0) / 2)}
    assert recall([], LISTS, EVEN, [1]) == {1: 0.0}


def test_combinations_show_each_source_alone_added_and_left_out() -> None:
    found = dict(combinations({"a": 1.0, "b": 2.0, "c": 3.0}))
    assert list(found) == [
        "a alone", "b alone", "c alone", "a + b", "all but a", "all but b", "all but c", "all",
    ]  # fmt: skip
    assert found["all but b"] == {"a": 1.0, "c": 3.0}
    assert found["a + b"] == {"a": 1.0, "b": 2.0}


def test_the_search_finds_what_a_bad_weight_hides() -> None:
    """With so little of `two`, b stands before d."""
    start = {"one": 1.0, "two": 0.3}
    assert recall(ASKED, LISTS, start, [2])[2] == pytest.approx(0.75)
    told: list[str] = []
    best = tuned(ASKED, LISTS, start, 2, rounds=5, told=told.append)
    assert recall(ASKED, LISTS, best, [2])[2] == pytest.approx(1.0)
    assert "recall@2 1.0000" in told[-1]


def test_the_search_leaves_a_flat_top_alone() -> None:
    assert tuned(ASKED, LISTS, EVEN, 5, rounds=2) == EVEN
