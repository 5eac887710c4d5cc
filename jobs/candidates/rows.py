"""Candidate lists as rows of the lake, and back: Arrow columns beside contract.codec.CandidateList."""

import itertools
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.codec import CandidateList

ENTRIES = pa.list_(pa.struct([("item_id", pa.string()), ("source", pa.string()), ("scores", pa.list_(pa.float32()))]))
_CANDIDATES = pa.schema(
    [
        ("kind", pa.string()),
        ("key", pa.string()),
        ("sources", pa.list_(pa.string())),
        ("weights", pa.list_(pa.float64())),
        ("entries", ENTRIES),
    ]
)


def as_entries(lists: Sequence[CandidateList], sources: Sequence[str]) -> pa.ListArray:
    """The `entries` column of these lists; `sources` names their score columns."""
    columns = len(sources)
    ids = pa.array([item_id for candidates in lists for item_id in candidates.item_ids], pa.string())
    won = np.concatenate([candidates.source for candidates in lists] or [np.zeros(0, np.uint8)])
    scores = np.concatenate([candidates.scores.ravel() for candidates in lists] or [np.zeros(0, np.float32)])
    each = pa.array(np.arange(len(ids) + 1) * columns, pa.int32())
    entries = pa.StructArray.from_arrays(
        [
            ids,
            pa.array(list(sources), pa.string()).take(pa.array(won)),
            pa.ListArray.from_arrays(each, pa.array(scores, pa.float32())),
        ],
        fields=list(ENTRIES.value_type),
    )
    offsets = pa.array(np.cumsum([0, *(len(candidates) for candidates in lists)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, entries, type=ENTRIES)


def of_entries(column: pa.ListArray, sources: Sequence[str]) -> list[CandidateList]:
    """The lists of an `entries` column whose scores stand in the order of `sources`."""
    values = column.values
    ids = values.field("item_id").to_pylist()
    won = np.asarray(pc.index_in(values.field("source"), pa.array(list(sources), pa.string())), np.uint8)
    scores = np.asarray(values.field("scores").values, np.float32).reshape(len(ids), len(sources))
    offsets = np.asarray(column.offsets)
    return [CandidateList(tuple(ids[a:b]), won[a:b], scores[a:b]) for a, b in itertools.pairwise(offsets)]


def as_candidates(
    sources: Sequence[str], weights: Sequence[float], lists: Sequence[tuple[str, str, CandidateList]]
) -> pa.RecordBatch:
    """CANDIDATES rows of (kind, key, list)."""
    return pa.RecordBatch.from_arrays(
        [
            pa.array([kind for kind, _, _ in lists], pa.string()),
            pa.array([key for _, key, _ in lists], pa.string()),
            pa.array([list(sources)] * len(lists), pa.list_(pa.string())),
            pa.array([list(weights)] * len(lists), pa.list_(pa.float64())),
            as_entries([candidates for _, _, candidates in lists], sources),
        ],
        schema=_CANDIDATES,
    )
