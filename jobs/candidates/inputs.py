"""What every candidate source works from: the catalogue as of an instant, and what was chosen before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from contract.errors import BadInput
from contract.scenario import Part, Scenario
from contract.settings import Settings
from jobs.features.days import age_days
from jobs.features.embeddings import Embed
from jobs.item_rows import as_item
from jobs.spark import settled
from reranker.texts import item_text


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Every item in memory, by number: its place in `ids`, which are sorted, so that numbers sort as ids do.

    Held by the driver and broadcast to the workers: about 200 bytes an item, meant for up to some millions.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    segments: tuple[str, ...]
    available: NDArray[np.bool_]

    @staticmethod
    def of(items: DataFrame, template: Sequence[Part]) -> "Catalogue":
        """From ITEM_FEATURES rows; `template` says what an item's text is made of."""
        names = "item_id", "title", "text", "categories", "attributes", "segment", "available"
        rows = items.select(*names).toArrow().to_pylist()
        rows.sort(key=lambda row: row["item_id"])
        return Catalogue(
            tuple(row["item_id"] for row in rows),
            tuple(item_text(as_item(row), template) for row in rows),
            tuple(row["segment"] for row in rows),
            np.array([row["available"] for row in rows], np.bool_),
        )


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a source may read.

    `positives`: session_id STRING, user_id STRING or null, item INT (a number of `catalogue`), ts TIMESTAMP;
    one row a positive event before `as_of`. `choices`: user_id STRING or null, session_id STRING where the
    user is null, item INT, times DOUBLE; one row an item that a user, or a session without one, chose, with
    the number of times, each decayed by its age. Both are settled. `repeats`: whether a user's list may name what the
    user chose. `embed`: float32[n, d] of n texts, rows of
    length 1 (or 0 for a text without words).
    """

    positives: DataFrame
    choices: DataFrame
    catalogue: Catalogue
    as_of: datetime
    settings: Settings
    repeats: bool
    embed: Embed

    @staticmethod
    def of(
        sessions: DataFrame, items: DataFrame, as_of: datetime, settings: Settings, scenario: Scenario, embed: Embed
    ) -> "Inputs":
        """From SESSIONS rows before `as_of` and ITEM_FEATURES rows as of it.

        Raises BadInput where no row is about an item of the catalogue.
        """
        catalogue = Catalogue.of(items, scenario.text.item)
        numbers = sessions.sparkSession.createDataFrame(
            list(zip(catalogue.ids, range(len(catalogue.ids)), strict=True)), "item_id STRING, item INT"
        )
        chosen = sessions.join(F.broadcast(numbers), "item_id")
        positives = settled(chosen.select("session_id", "user_id", "item", "ts"))
        if positives.isEmpty():
            raise BadInput(
                f"no positive event before {as_of:%Y-%m-%d %H:%M} UTC on an item of the catalogue "
                f"({len(catalogue.ids)} items): import events, shorten PACE_TRAINING__TRAIN_DAYS, or widen what "
                f"counts as positive ({scenario.positive} in the file that PACE_NIGHT__SCENARIO names)"
            )
        times = F.sum(decay("ts", as_of, settings.candidates.half_life_days))
        whose = "user_id", F.when(F.col("user_id").isNull(), F.col("session_id")).alias("session_id")
        choices = settled(positives.groupBy(*whose, "item").agg(times.alias("times")))
        return Inputs(positives, choices, catalogue, as_of, settings, scenario.repeats, embed)

    @property
    def length(self) -> int:
        """The most entries that a list may have."""
        return self.settings.candidates.list_length

    @property
    def seed(self) -> int:
        return self.settings.night.seed


def decay(ts: str, as_of: datetime, half_life_days: float) -> Column:
    """What an event at column `ts` still counts: 1 at `as_of`, half of it after each half life."""
    return F.pow(F.lit(0.5), age_days(F.col(ts), as_of) / F.lit(half_life_days))
