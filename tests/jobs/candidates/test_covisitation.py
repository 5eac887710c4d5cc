"""Items of the same session."""

from collections import defaultdict
from math import sqrt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.candidates.sources import covisitation
from jobs.candidates.sources.covisitation import DAMPING, _by_item

ITEMS = dict.fromkeys("abcd", "all")


def cosine(together: float, one: float, other: float) -> float:
    return together / (sqrt(one * other) + DAMPING)


def test_score_is_the_damped_cosine_of_sessions(make_inputs, read_lists) -> None:
    inputs = make_inputs(
        [
            ("s1", None, "a", 0),
            ("s1", None, "b", 0),
            ("s1", None, "a", 0),  # twice in a session counts once
            ("s2", "ann", "a", 0),
            ("s2", "ann", "b", 0),
            ("s2", "ann", "c", 0),
            ("s3", None, "d", 0),  # alone: no list
            ("s4", None, "gone", 0),  # not in the catalogue
            ("s4", None, "a", 0),
        ],
        ITEMS,
    )
    found = read_lists(inputs, covisitation.lists(inputs))
    assert {key: [item for item, _ in entries] for key, entries in found.items()} == {
        ("item", "a"): ["b", "c"],
        ("item", "b"): ["a", "c"],
        ("item", "c"): ["b", "a"],  # met both once, but b is the rarer
    }
    assert dict(found["item", "a"]) == pytest.approx({"b": cosine(2, 3, 2), "c": cosine(1, 3, 1)})


def test_a_session_counts_half_after_each_half_life(make_inputs, read_lists) -> None:
    inputs = make_inputs(
        [("old", None, "a", 20), ("old", None, "b", 20), ("new", None, "a", 0), ("new", None, "c", 0)],
        ITEMS,
        half_life_days=10,
    )
    found = dict(read_lists(inputs, covisitation.lists(inputs))["item", "a"])
    assert found == pytest.approx({"b": cosine(0.25, 1.25, 0.25), "c": cosine(1, 1.25, 1)})


def test_what_is_not_available_is_not_proposed(make_inputs, read_lists) -> None:
    inputs = make_inputs([("s", None, item, 0) for item in "abc"], ITEMS, unavailable=["b"])
    found = read_lists(inputs, covisitation.lists(inputs))
    assert [item for item, _ in found["item", "a"]] == ["c"]
    assert [item for item, _ in found["item", "b"]] == ["a", "c"]  # it may still be asked about


def test_lists_end_at_their_length(make_inputs, read_lists) -> None:
    inputs = make_inputs([("s", None, item, 0) for item in "abcd"], ITEMS, list_length=2)
    assert [item for item, _ in read_lists(inputs, covisitation.lists(inputs))["item", "c"]] == ["a", "b"]


def test_of_a_long_session_only_a_part_is_paired(make_inputs, read_lists, monkeypatch) -> None:
    monkeypatch.setattr(covisitation, "LONGEST_SESSION", 3)
    inputs = make_inputs([("s", None, item, 0) for item in "abcd"], ITEMS)
    found = read_lists(inputs, covisitation.lists(inputs))
    assert len(found) == 3
    assert {len(entries) for entries in found.values()} == {2}


sessions = st.lists(
    st.tuples(st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True), st.sampled_from([0.25, 0.5, 1.0])),
    min_size=1,
    max_size=8,
)


@given(sessions, st.lists(st.integers(1, 4), min_size=1))
def test_sums_do_not_depend_on_where_batches_end(visits: list[tuple[list[int], float]], sizes: list[int]) -> None:
    rows = sorted((item, items, weight) for items, weight in visits for item in items)
    batches, start = [], 0
    while start < len(rows):
        part = rows[start : start + sizes[len(batches) % len(sizes)]]
        start += len(part)
        columns = [
            pa.array([row[0] for row in part], pa.int32()),
            pa.array([row[1] for row in part], pa.list_(pa.int32())),
            pa.array([row[2] for row in part], pa.float64()),
        ]
        batches.append(pa.RecordBatch.from_arrays(columns, ["item", "items", "weight"]))
    expected: dict[tuple[int, int], float] = defaultdict(float)
    for item, items, weight in rows:
        for other in items:
            expected[item, other] += weight
    parts = list(_by_item(batches, n=6))
    found = {(i, o): s for items, others, sums in parts for i, o, s in zip(items, others, sums, strict=True)}
    assert found == dict(expected)
    assert sum(len(items) for items, _, _ in parts) == len(expected)
    owners = [set(np.unique(items)) for items, _, _ in parts]
    assert sum(map(len, owners)) == len(set().union(*owners)), "an item's rows are all in one part"
