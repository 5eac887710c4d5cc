"""Sources of a few lines: content, repeat purchase, popularity."""

import pytest

from jobs.candidates.sources import content, popularity, repeat


def test_content_is_the_cosine_of_texts(make_inputs, read_lists) -> None:
    vectors = {"a": (1.0, 0.0), "b": (0.6, 0.8), "c": (0.0, 1.0), "far": (-1.0, 0.0), "blank": (0.0, 0.0)}
    inputs = make_inputs([("s", None, "a", 0)], dict.fromkeys(vectors, "all"), ["c"], vectors)
    found = read_lists(inputs, content.lists(inputs))
    assert set(found) == {("item", "a"), ("item", "b"), ("item", "c")}  # the others are near nothing
    assert found["item", "a"] == [("b", pytest.approx(0.6))]  # not c: unavailable, and at a right angle
    assert found["item", "b"] == [("a", pytest.approx(0.6))]
    assert found["item", "c"] == [("b", pytest.approx(0.8))]


def test_texts_that_are_all_the_same_or_all_empty_do_no_harm(make_inputs, read_lists) -> None:
    choices, items = [("s", None, "a", 0)], dict.fromkeys("abc", "all")
    same = make_inputs(choices, items, vectors=dict.fromkeys("abc", (1.0, 0.0)))
    found = read_lists(same, content.lists(same))
    assert {key: [item for item, _ in entries] for key, entries in found.items()} == {
        ("item", "a"): ["b", "c"],
        ("item", "b"): ["a", "c"],
        ("item", "c"): ["a", "b"],
    }
    empty = make_inputs(choices, items)
    assert read_lists(empty, content.lists(empty)) == {}


def test_repeat_counts_recent_choices(make_inputs, read_lists) -> None:
    inputs = make_inputs(
        [
            ("s1", "ann", "a", 0),
            ("s2", "ann", "a", 0),
            ("s3", "ann", "b", 0),
            ("s4", "ann", "c", 10),  # one half life ago
            ("s5", None, "d", 0),  # nobody's
        ],
        dict.fromkeys("abcd", "all"),
        half_life_days=10,
    )
    found = read_lists(inputs, repeat.lists(inputs))
    assert found == {
        ("user", "ann"): [("a", pytest.approx(2 / 3)), ("b", pytest.approx(1 / 2)), ("c", pytest.approx(1 / 3))]
    }


def test_popularity_by_segment_and_overall(make_inputs, read_lists) -> None:
    inputs = make_inputs(
        [
            *((f"s{n}", None, "hit", 1) for n in range(7)),
            ("s8", None, "odd", 1),
            ("s9", None, "odd", 1),
            ("t1", None, "mug", 1),
            *((f"u{n}", None, "past", 40) for n in range(20)),  # before the window: behind all of it
            ("v1", None, "past too", 40),
            ("w1", None, "sold out", 1),
            ("x1", None, "plain", 1),
        ],
        {
            "hit": "toys", "odd": "toys", "mug": "home", "past": "home", "past too": "home",
            "sold out": "home", "plain": "all", "never": "home",
        },
        unavailable=["sold out"],
        window_days=30,
    )  # fmt: skip
    found = read_lists(inputs, popularity.lists(inputs))
    assert {key: [item for item, _ in entries] for key, entries in found.items()} == {
        ("segment", "toys"): ["hit", "odd"],
        ("segment", "home"): ["mug", "past", "past too"],
        ("segment", "all"): ["hit", "odd", "mug", "plain", "past", "past too"],
    }
    scores = dict(found["segment", "all"])
    assert scores["hit"] == 1.0
    assert scores["odd"] == pytest.approx(0.528, abs=1e-3)  # log(1 + 2) / log(1 + 7)
    assert 0 < scores["past too"] < scores["past"] < scores["plain"]


def test_popularity_after_a_window_of_silence(make_inputs, read_lists) -> None:
    inputs = make_inputs([("s", None, "a", 90), ("t", None, "b", 90), ("u", None, "b", 99)], {"a": "all", "b": "all"})
    assert [item for item, _ in read_lists(inputs, popularity.lists(inputs))["segment", "all"]] == ["b", "a"]
