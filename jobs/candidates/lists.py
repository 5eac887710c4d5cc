"""One source's lists as a frame: LISTS rows, best entry first."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# `items` are numbers of the catalogue, each once; `scores` lie within 0 and 1 and mean the same every day.
LISTS = "kind STRING, key STRING, items ARRAY<INT>, scores ARRAY<FLOAT>"

_ARROW = pa.schema(
    [("kind", pa.string()), ("key", pa.string()), ("items", pa.list_(pa.int32())), ("scores", pa.list_(pa.float32()))]
)


def best_lists(kind: str, rows: DataFrame, length: int) -> DataFrame:
    """LISTS rows of one row an entry (`key` STRING, `item` INT, `score` FLOAT): the `length` best of each key.

    Equal scores stand in the order of the items' numbers.
    """
    entries = F.sort_array(F.collect_list(F.struct((-F.col("score")).cast("float").alias("worse"), "item")))
    return (
        rows.groupBy("key")
        .agg(F.slice(entries, 1, length).alias("entries"))
        .select(
            F.lit(kind).alias("kind"),
            "key",
            F.col("entries.item").alias("items"),
            F.transform("entries.worse", _negated).alias("scores"),
        )
    )


def _negated(worse: Column) -> Column:
    return (-worse).cast("float")


def best_places(scores: NDArray[np.float32], length: int) -> NDArray[np.intp]:
    """The places of the `length` greatest scores above 0, greatest first, equal ones in order of place."""
    if len(scores) > 4 * length:
        bar = np.partition(scores, len(scores) - length)[len(scores) - length]
        places = np.flatnonzero(scores >= max(bar, 0.0))
    else:
        places = np.arange(len(scores))
    places = places[scores[places] > 0]
    return places[np.argsort(-scores[places], kind="stable")[:length]]


def as_batch(
    kind: str, keys: Sequence[str], items: Sequence[NDArray[np.integer]], scores: Sequence[NDArray[np.float32]]
) -> pa.RecordBatch:
    """LISTS rows as Arrow, for sources that work in numpy; keys without an entry are left out."""
    filled = [row for row, numbers in enumerate(items) if len(numbers)]
    offsets = pa.array(np.cumsum([0, *(len(items[row]) for row in filled)]), pa.int32())
    flat_items = np.concatenate([items[row] for row in filled] or [np.zeros(0, np.int32)])
    flat_scores = np.concatenate([scores[row] for row in filled] or [np.zeros(0, np.float32)])
    return pa.RecordBatch.from_arrays(
        [
            pa.array([kind] * len(filled), pa.string()),
            pa.array([keys[row] for row in filled], pa.string()),
            pa.ListArray.from_arrays(offsets, pa.array(flat_items.astype(np.int32))),
            pa.ListArray.from_arrays(offsets, pa.array(flat_scores.astype(np.float32))),
        ],
        schema=_ARROW,
    )


def ragged(column: pa.ListArray) -> Iterator[NDArray]:
    """The rows of a list column as views of one numpy array."""
    values, offsets = np.asarray(column.values), np.asarray(column.offsets)
    yield from (values[a:b] for a, b in itertools.pairwise(offsets))
