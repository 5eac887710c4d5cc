"""The small parts that lists are made with."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pyspark.sql import SparkSession

from contract.codec import CandidateList
from jobs.candidates.lists import best_lists, best_places
from jobs.candidates.neighbours import item_neighbours
from jobs.candidates.numbering import numbered
from jobs.candidates.rows import as_entries, of_entries


@given(
    npst.arrays(np.float32, st.integers(0, 60), elements=st.sampled_from([0, 0.125, 0.25, 0.5, 1])), st.integers(1, 9)
)
def test_best_places_are_the_greatest_in_order(scores: np.ndarray, length: int) -> None:
    expected = sorted((place for place in range(len(scores)) if scores[place] > 0), key=lambda p: (-scores[p], p))
    assert best_places(scores, length).tolist() == expected[:length]


def test_best_lists_cut_and_break_ties_by_item(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [("k", 3, 0.5), ("k", 1, 0.5), ("k", 2, 0.75), ("k", 4, 0.25), ("l", 9, 0.1)],
        "key STRING, item INT, score DOUBLE",
    )
    found = {row["key"]: (row["items"], row["scores"]) for row in best_lists("user", rows, 3).collect()}
    assert found["k"] == ([2, 1, 3], [0.75, 0.5, 0.5])
    assert found["l"][0] == [9]


def test_neighbours_equal_the_whole_product(spark: SparkSession) -> None:
    draw = np.random.default_rng(3)
    vectors = draw.normal(size=(23, 4)).astype(np.float32)
    allowed = draw.random(23) < 0.8
    ids = tuple(f"i{number:02}" for number in range(23))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for row in item_neighbours(spark, ids, vectors, allowed, 5).collect():
        scores = unit @ unit[ids.index(row["key"])]
        others = [place for place in range(23) if allowed[place] and ids[place] != row["key"] and scores[place] > 0]
        assert row["items"] == sorted(others, key=lambda place: -scores[place])[:5]
    assert item_neighbours(spark, (), np.zeros((0, 4), np.float32), np.zeros(0, bool), 5).count() == 0


def test_numbers_are_dense(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(f"u{n}",) for n in range(40)], "user STRING").repartition(7)
    assert sorted(row["number"] for row in numbered(frame, "user").collect()) == list(range(40))
    assert numbered(frame.limit(0), "user").count() == 0


def test_entries_go_to_arrow_and_back() -> None:
    lists = [
        CandidateList.of([("a", 1, [0.0, 0.5]), ("ü🙂", 0, [0.25, 0.0])], 2),
        CandidateList.empty(2),
        CandidateList.of([("b", 0, [1.0, 1.0])], 2),
    ]
    column = as_entries(lists, ["x", "y"])
    assert column.to_pylist()[0][0] == {"item_id": "a", "source": "y", "scores": [0.0, 0.5]}
    stored = pa.concat_arrays([column])
    for before, after in zip(lists, of_entries(stored, ["x", "y"]), strict=True):
        assert before.item_ids == after.item_ids
        assert np.array_equal(before.source, after.source)
        assert np.array_equal(before.scores, after.scores)
