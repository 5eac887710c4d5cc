"""Inputs of a source, from literal rows."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession

from contract.schemas import ITEM_FEATURES, SESSIONS
from contract.settings import Candidates, Settings
from jobs.candidates.inputs import Inputs
from tests.scenarios import SAMPLE

AT = datetime(2024, 6, 1, tzinfo=UTC)

# (session, user, item, days before the night's end)
Choice = tuple[str, str | None, str, float]
MakeInputs = Callable[..., Inputs]
Lists = dict[tuple[str, str], list[tuple[str, float]]]


@pytest.fixture
def make_inputs(spark: SparkSession) -> MakeInputs:
    """`items`: id -> segment; `vectors`: id -> what embedding its title, the id, gives; the rest are settings."""

    def make(
        choices: Sequence[Choice],
        items: dict[str, str],
        unavailable: Sequence[str] = (),
        vectors: dict[str, Sequence[float]] | None = None,
        **candidates: object,
    ) -> Inputs:
        sessions = [
            (session, user, item, AT - timedelta(days=days), "purchase", place)
            for place, (session, user, item, days) in enumerate(choices)
        ]
        rows = [
            (item, item, None, [], None, item not in unavailable, segment, 0, 0, 0, 0.0, {}, None, None)
            for item, segment in items.items()
        ]

        def embed(texts: Sequence[str]) -> NDArray[np.float32]:
            return np.array([(vectors or {}).get(text, (0.0, 0.0)) for text in texts], np.float32)

        return Inputs.of(
            spark.createDataFrame(sessions, SESSIONS),
            spark.createDataFrame(rows, ITEM_FEATURES),
            AT,
            Settings(_env_file=None, candidates=Candidates(**candidates)),
            SAMPLE,
            embed,
        )

    return make


@pytest.fixture
def read_lists() -> Callable[[Inputs, DataFrame], Lists]:
    """LISTS rows as (kind, key) -> [(item id, score)], after checking what every source promises."""

    def read(inputs: Inputs, frame: DataFrame) -> Lists:
        found: Lists = {}
        for row in frame.collect():
            assert (row["kind"], row["key"]) not in found, "a key has one list"
            assert len(row["items"]) == len(set(row["items"])) == len(row["scores"]) <= inputs.length
            assert all(0.0 <= score <= 1.0 + 1e-6 for score in row["scores"]), row["scores"]
            assert row["scores"] == sorted(row["scores"], reverse=True), "best first"
            names = [inputs.catalogue.ids[number] for number in row["items"]]
            found[row["kind"], row["key"]] = list(zip(names, row["scores"], strict=True))
        return found

    return read
