"""The recall of the candidates."""

from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession

from contract.schemas import TRAINING_PAIRS
from jobs.model.recall import PLACES, recall_table

NIGHT = datetime(2024, 5, 1, tzinfo=UTC)


def test_recall_overall_and_by_source(spark: SparkSession) -> None:
    def pair(id: str, split: str, labels: str, entries: list[tuple[str, str, list[float]]]) -> tuple[object, ...]:
        return (id, split, "basket", NIGHT, NIGHT, None, ["c"], list(labels), ["x", "y"], entries)

    rows = [
        # a by both, b by x only; d is missed
        pair("1", "test", "abde", [("a", "x", [0.5, 0.1]), ("b", "x", [0.2, 0.0]), ("z", "y", [0.0, 0.9])]),
        pair("2", "test", "a", []),  # without candidates: counts as 0
        # beyond the places that count
        pair("3", "train", "a", [*((f"n{n}", "y", [0.0, 1.0]) for n in range(PLACES)), ("a", "y", [0.0, 1.0])]),
    ]
    found = {row.split: row for row in recall_table(spark.createDataFrame(rows, TRAINING_PAIRS))}
    assert (found["test"].queries, found["test"].overall) == (2, pytest.approx(0.25))
    assert found["test"].by_source == pytest.approx({"x": 0.25, "y": 0.125})
    assert (found["train"].queries, found["train"].overall) == (1, 0.0)
