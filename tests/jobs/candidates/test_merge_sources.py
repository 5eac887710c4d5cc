"""Many sources, one list a key: as contract.merge has it."""

import random

import numpy as np
import pytest
from pyspark.sql import Row, SparkSession

from contract.codec import CandidateList
from contract.merge import merge_lists
from jobs.candidates.inputs import Catalogue
from jobs.candidates.lists import LISTS
from jobs.candidates.merge import SourceLists, merged

IDS = tuple(f"i{number}" for number in range(10))
CATALOGUE = Catalogue(IDS, IDS, IDS, np.array([item != "i9" for item in IDS]))


def rows(spark: SparkSession, proposed: dict[str, tuple[float, dict[tuple[str, str], dict[str, float]]]], **more):
    """source -> (weight, (kind, key) -> item -> score)."""
    frames = []
    for name, (weight, lists) in proposed.items():
        frame = [
            (kind, key, [IDS.index(item) for item in entries], list(entries.values()))
            for (kind, key), entries in lists.items()
        ]
        frames.append(SourceLists(name, weight, spark.createDataFrame(frame, LISTS)))
    return merged(frames, CATALOGUE, **{"length": 5, **more})


def entries(row: Row) -> list[tuple[str, str, list[float]]]:
    return [(entry["item_id"], entry["source"], [round(s, 4) for s in entry["scores"]]) for entry in row["entries"]]


def test_entries_name_source_and_every_score(spark: SparkSession) -> None:
    found = rows(
        spark,
        {
            "one": (1.0, {("user", "ann"): {"i1": 0.5, "i2": 0.25}}),
            "two": (1.0, {("user", "ann"): {"i3": 0.75, "i1": 0.5}, ("segment", "all"): {"i3": 1.0}}),
        },
    ).collect()
    by_key = {(row["kind"], row["key"]): row for row in found}
    assert {tuple(row["sources"]) for row in found} == {("one", "two")}
    assert entries(by_key["user", "ann"]) == [
        ("i1", "one", [0.5, 0.5]),  # both propose it
        ("i3", "two", [0.0, 0.75]),
        ("i2", "one", [0.25, 0.0]),
    ]
    assert entries(by_key["segment", "all"]) == [("i3", "two", [0.0, 1.0])]


def test_a_quota_weighs_a_sources_scores(spark: SparkSession) -> None:
    lists = {"one": {("user", "ann"): {"i1": 1.0, "i2": 0.9}}, "two": {("user", "ann"): {"i3": 1.0, "i4": 0.9}}}

    def order(one: float, two: float) -> list[str]:
        row = rows(spark, {"one": (one, lists["one"]), "two": (two, lists["two"])}).collect()[0]
        return [item for item, _, _ in entries(row)]

    assert order(1.0, 1.0) == ["i1", "i3", "i2", "i4"]
    assert order(0.5, 1.0) == ["i3", "i4", "i1", "i2"]
    row = rows(spark, {"one": (0.5, lists["one"]), "two": (1.0, lists["two"])}).collect()[0]
    assert (row["sources"], row["weights"]) == (["one", "two"], [0.5, 1.0])


def test_neither_itself_nor_the_unavailable(spark: SparkSession) -> None:
    found = rows(spark, {"one": (1.0, {("item", "i1"): {"i1": 1.0, "i9": 0.9, "i2": 0.8}})}).collect()
    assert [item for item, _, _ in entries(found[0])] == ["i2"]
    assert rows(spark, {"one": (1.0, {("item", "i1"): {"i1": 1.0, "i9": 0.9}})}).count() == 0  # nothing is left
    user = rows(spark, {"one": (1.0, {("user", "i1"): {"i1": 1.0}})}).collect()  # a user of an item's name
    assert [item for item, _, _ in entries(user[0])] == ["i1"]


def test_only_wanted_keys(spark: SparkSession) -> None:
    wanted = spark.createDataFrame([("user", "ann")], "kind STRING, key STRING")
    lists = {("user", "ann"): {"i1": 1.0}, ("item", "ann"): {"i1": 1.0}, ("user", "bob"): {"i1": 1.0}}
    found = rows(spark, {"one": (1.0, lists)}, wanted=wanted).collect()
    assert [(row["kind"], row["key"]) for row in found] == [("user", "ann")]


@pytest.mark.parametrize("seed", range(2))
def test_equals_the_merge_of_the_contract(spark: SparkSession, seed: int) -> None:
    draw = random.Random(seed)
    weights = [draw.choice([0.5, 1.0, 2.0]) for _ in range(3)]
    keys = [(kind, key) for kind in ("user", "item") for key in IDS[:8]]
    proposed = {
        f"source{number}": (
            weight,
            {
                key: {item: draw.random() for item in draw.sample(IDS, draw.randrange(1, 8))}
                for key in draw.sample(keys, 9)
            },
        )
        for number, weight in enumerate(weights)
    }
    found = {(row["kind"], row["key"]): row for row in rows(spark, proposed).collect()}
    for key in {key for _, lists in proposed.values() for key in lists}:
        parts = []
        for number, (_, lists) in enumerate(proposed.values()):
            kept = {item: score for item, score in lists.get(key, {}).items() if item != "i9"}
            scores = [[score if column == number else 0.0 for column in range(3)] for score in kept.values()]
            parts.append(CandidateList.of(((i, number, s) for i, s in zip(kept, scores, strict=True)), 3))
        itself = (key[1],) if key[0] == "item" else ()
        expected = merge_lists(parts, [1.0] * 3, weights, 5, itself)
        assert (key in found) == (len(expected) > 0)
        if key not in found:
            continue
        row = found[key]
        assert [entry["item_id"] for entry in row["entries"]] == list(expected.item_ids)
        assert [entry["source"] for entry in row["entries"]] == [f"source{s}" for s in expected.source]
        assert np.array_equal([entry["scores"] for entry in row["entries"]], expected.scores)
