"""A text is embedded once, and remembered by the lake."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import SparkSession

from jobs.features.embeddings import TABLE, TextEmbeddings
from jobs.lake import Lake


class Model:
    """Embeds a text as (its length, 1), and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return np.array([(len(text), 1) for text in texts], np.float32)


def test_only_new_texts_are_embedded(spark: SparkSession, lake: Lake) -> None:
    model = Model()
    first = TextEmbeddings(spark, lake, "2024-05-01", "v1", model)
    assert first(["aa", "b", "aa"]).tolist() == [[2, 1], [1, 1], [2, 1]]
    assert model.asked == ["aa", "b"]
    next_night = TextEmbeddings(spark, lake, "2024-05-02", "v1", model)
    assert next_night(["ccc", "b", "ü" * 4]).tolist() == [[3, 1], [1, 1], [4, 1]]
    assert model.asked == ["aa", "b", "ccc", "üüüü"]
    # The first day is run again, with a text more: what it knew stays known.
    assert first(["aa", "b", "ccccc"]).tolist() == [[2, 1], [1, 1], [5, 1]]
    assert model.asked[4:] == ["ccccc"]
    assert lake.days(TABLE) == ["2024-05-01", "2024-05-02"]


def test_another_model_knows_nothing_of_them(spark: SparkSession, lake: Lake) -> None:
    model = Model()
    TextEmbeddings(spark, lake, "2024-05-01", "v1", model)(["a"])
    TextEmbeddings(spark, lake, "2024-05-01", "v2", model)(["a"])
    assert model.asked == ["a", "a"]
    assert TextEmbeddings(spark, lake, "2024-05-01", "v1", model)([]).shape == (0, 0)
