"""From rows of the lake to values in Redis: (kind, id, value) triples, a batch at a time."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.codec import END, encode_record, pack_candidates
from contract.errors import BadInput
from contract.keys import Kind
from contract.records import UserRecord
from jobs.item_rows import as_item, item_columns

Value = tuple[Kind, str, bytes]
_LIST_KINDS: dict[str, Kind] = {
    "user": "candidates-user",
    "item": "candidates-item",
    "segment": "candidates-segment",
}


def item_values(batches: Iterable[pa.RecordBatch]) -> Iterator[Value]:
    """Item records of item_features rows."""
    for batch in batches:
        for row in batch.select(item_columns(batch.schema.names)).to_pylist():
            record = as_item(row)
            yield "item", record.item_id, encode_record(record)


def user_values(batches: Iterable[pa.RecordBatch]) -> Iterator[Value]:
    """User records of user_features rows."""
    names = list(UserRecord.__struct_fields__)
    for batch in batches:
        for row in batch.select(names).to_pylist():
            row["history"] = tuple(row["history"] or ())
            record = UserRecord(**row)
            yield "user", record.user_id, encode_record(record)


class Scored(NamedTuple):
    """What the score columns of a generation's lists are, and what each counts for where lists are merged."""

    sources: tuple[str, ...]
    weights: tuple[float, ...]


def candidate_values(batches: Iterable[pa.RecordBatch], scored: Scored) -> Iterator[Value]:
    """Candidate lists of candidates rows, packed from Arrow's buffers without a Python object an entry.

    Raises BadInput for a row with other sources or weights, whose scores would mean something else, and for an id that
    no list can hold.
    """
    sources = scored.sources
    for batch in batches:
        _refuse_other_scores(batch, scored)
        entries = batch["entries"]
        flat = entries.flatten()
        ids = pc.binary_join_element_wise(flat.field("item_id").cast(pa.binary()), b"", END.encode())
        text = b"".join(ids.to_pylist())
        source = np.asarray(pc.index_in(flat.field("source"), pa.array(sources)), np.uint8)
        scores = np.asarray(flat.field("scores").flatten(), np.float32).reshape(len(flat), len(sources))
        starts = np.concatenate(([0], np.cumsum(pc.binary_length(ids))))
        bounds = np.asarray(entries.offsets) - entries.offsets[0].as_py()
        for row, (kind, key) in enumerate(zip(batch["kind"].to_pylist(), batch["key"].to_pylist(), strict=True)):
            a, b = bounds[row], bounds[row + 1]
            try:
                packed = pack_candidates(source[a:b], scores[a:b], text[starts[a] : starts[b]])
            except ValueError as error:
                raise BadInput(
                    f"candidates of {kind} {key!r}: {error}: take it out of the lake's items, and run the candidates "
                    "job again"
                ) from error
            yield _LIST_KINDS[kind], key, packed


def _refuse_other_scores(batch: pa.RecordBatch, scored: Scored) -> None:
    for name, wanted in scored._asdict().items():
        for found in {tuple(row) for row in batch[name].to_pylist()}:
            if found != wanted:
                raise BadInput(
                    f"candidates: a list of {name} {found} beside lists of {wanted}: run the candidates job again"
                )
