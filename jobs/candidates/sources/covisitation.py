"""Items chosen in the same session: the cosine of two items' sessions, old sessions counting less.

Per item. For items a and b in session sets A and B, with w the weight of a session:
    score = sum of w over A and B together / (sqrt(sum of w over A * sum of w over B) + DAMPING)
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.candidates.inputs import Inputs, decay
from jobs.candidates.lists import LISTS, as_batch, best_places
from jobs.spark import settled

# Pairs grow with the square of a session: of a longer one only so many items, drawn by hash, are paired.
LONGEST_SESSION = 100

# Two items that met once, and never without each other, would have the perfect cosine: this keeps chance low.
DAMPING = 1.0


def lists(inputs: Inputs) -> DataFrame:
    """A session is sent to each of its items: the shuffle carries sum(n**2) ints, and numpy adds them up."""
    visits = settled(_visits(inputs))
    weights = _weight_of_items(inputs, visits)
    shared = visits.sparkSession.sparkContext.broadcast((np.array(inputs.catalogue.ids, object), weights))
    available, length = inputs.catalogue.available, inputs.length

    def nearest(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        ids, weights = shared.value
        for items, others, sums in _by_item(batches, len(ids)):
            cosines = (sums / (np.sqrt(weights[items] * weights[others]) + DAMPING)).astype(np.float32)
            cosines[(items == others) | ~available[others]] = 0.0
            starts = np.flatnonzero(np.r_[True, items[1:] != items[:-1]])
            ends = np.r_[starts[1:], len(items)]
            best = [start + best_places(cosines[start:end], length) for start, end in zip(starts, ends, strict=True)]
            yield as_batch("item", ids[items[starts]], [others[at] for at in best], [cosines[at] for at in best])

    # By weight too, so that sums are added up in the same order every time.
    return (
        visits.select(F.explode("items").alias("item"), "items", "weight")
        .repartition("item")
        .sortWithinPartitions("item", "weight")
        .mapInArrow(nearest, LISTS)
    )


def _visits(inputs: Inputs) -> DataFrame:
    """One row a session: `items` ARRAY<INT>, at most LONGEST_SESSION; `weight`, halved every half life."""
    by_chance = F.transform(
        "items",
        lambda item: F.struct(F.xxhash64(F.lit(inputs.seed), "session_id", item).alias("draw"), item.alias("item")),
    )
    drawn = F.slice(F.sort_array(by_chance), 1, LONGEST_SESSION).getField("item")
    return (
        inputs.positives.groupBy("session_id")
        .agg(F.collect_set("item").alias("items"), F.max("ts").alias("last"))
        .select(
            F.when(F.size("items") > LONGEST_SESSION, drawn).otherwise(F.col("items")).alias("items"),
            decay("last", inputs.as_of, inputs.settings.candidates.half_life_days).alias("weight"),
        )
    )


def _weight_of_items(inputs: Inputs, visits: DataFrame) -> NDArray[np.float64]:
    """float64[items]: the summed weight of each item's sessions."""
    each = visits.select("weight", F.explode("items").alias("item"))
    sums = each.groupBy("item").agg(F.sum("weight").alias("sum")).toArrow()
    weights = np.zeros(len(inputs.catalogue.ids))
    weights[np.asarray(sums["item"])] = np.asarray(sums["sum"])
    return weights


Sums = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def _by_item(batches: Iterable[pa.RecordBatch], n: int) -> Iterator[Sums]:
    """(item, other item, weight together) columns, sorted; an item's rows are all in one part.

    `batches` hold (item, items, weight) rows in the order of `item`, which may go on in the next batch.
    """
    codes, sums = np.zeros(0, np.int64), np.zeros(0)
    for batch in batches:
        sizes = np.diff(np.asarray(batch["items"].offsets))
        pairs = np.repeat(np.asarray(batch["item"], np.int64), sizes) * n + np.asarray(batch["items"].flatten())
        codes, sums = _added_up(
            np.concatenate([codes, pairs]), np.concatenate([sums, np.repeat(np.asarray(batch["weight"]), sizes)])
        )
        open_from = np.searchsorted(codes, codes[-1] // n * n)
        if open_from:
            yield codes[:open_from] // n, codes[:open_from] % n, sums[:open_from]
            codes, sums = codes[open_from:], sums[open_from:]
    if len(codes):
        yield codes // n, codes % n, sums


def _added_up(codes: NDArray[np.int64], weights: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Each code once, sorted, with the sum of its weights."""
    order = np.argsort(codes, kind="stable")
    codes, weights = codes[order], weights[order]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    return codes[starts], np.add.reduceat(weights, starts)
