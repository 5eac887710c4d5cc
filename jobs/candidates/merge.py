"""The sources' lists of a key become one: contract.merge on every key, so that a quota means what it means there."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contract.codec import CandidateList
from contract.merge import merge_lists
from contract.schemas import CANDIDATES
from jobs.candidates.inputs import Catalogue
from jobs.candidates.lists import ragged
from jobs.candidates.rows import as_candidates


class SourceLists(NamedTuple):
    """What one source proposes: LISTS rows, and its quota, the weight of its scores in the merge."""

    source: str
    weight: float
    lists: DataFrame


def merged(
    proposed: Sequence[SourceLists], catalogue: Catalogue, length: int, wanted: DataFrame | None = None
) -> DataFrame:
    """CANDIDATES rows: the lists of each key as contract.merge makes one of them, at most `length` available items.

    An item is never in its own list; a key of which nothing is left has no row. `wanted`: (kind, key) rows,
    few enough to broadcast; only these keys are merged.
    """
    names = tuple(source for source, _, _ in proposed)
    weights = tuple(weight for _, weight, _ in proposed)
    numbered = [lists.withColumn("source", F.lit(number)) for number, (_, _, lists) in enumerate(proposed)]
    together = reduce(DataFrame.unionByName, numbered)
    if wanted is not None:
        together = together.join(F.broadcast(wanted), ["kind", "key"], "left_semi")
    shared = together.sparkSession.sparkContext.broadcast((np.array(catalogue.ids, object), catalogue.available))

    def merge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        ids, available = shared.value
        for batch in batches:
            kinds, keys = batch["kind"].to_pylist(), batch["key"].to_pylist()
            rows = []
            for kind, key, parts in zip(kinds, keys, _parts(batch), strict=True):
                candidates = [_candidates(part, len(names), ids, available) for part in parts]
                itself = (key,) if kind == "item" else ()
                whole = merge_lists(candidates, [1.0] * len(parts), weights, length, itself)
                if len(whole):
                    rows.append((kind, key, whole))
            yield as_candidates(names, weights, rows)

    return (
        together.groupBy("kind", "key")
        .agg(F.collect_list(F.struct("source", "items", "scores")).alias("parts"))
        .mapInArrow(merge, CANDIDATES)
    )


class _Part(NamedTuple):
    source: int
    items: NDArray[np.int32]
    scores: NDArray[np.float32]


def _parts(batch: pa.RecordBatch) -> Iterator[list[_Part]]:
    """Each row's lists, in the order of their sources."""
    column = batch["parts"]
    fields = column.values
    parts = [
        _Part(*part)
        for part in zip(
            fields.field("source").to_pylist(),
            ragged(fields.field("items")),
            ragged(fields.field("scores")),
            strict=True,
        )
    ]
    offsets = np.asarray(column.offsets)
    for first, end in itertools.pairwise(offsets):
        yield sorted(parts[first:end], key=lambda part: part.source)


def _candidates(part: _Part, columns: int, ids: NDArray[np.object_], available: NDArray[np.bool_]) -> CandidateList:
    kept = available[part.items]
    items = part.items[kept]
    scores = np.zeros((len(items), columns), np.float32)
    scores[:, part.source] = part.scores[kept]
    return CandidateList(tuple(ids[items]), np.full(len(items), part.source, np.uint8), scores)
