"""What models made of items' texts, in the lake: a table a model, which grows by what each night has new."""

from collections.abc import Collection, Iterable, Iterator, Set
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from upath import UPath

from contract.errors import BadInput
from contract.states import BLOCK_TEXTS, StateBlock
from jobs.lake import Lake
from reranker.item_coding import Coded
from reranker.manifest import ItemStates

TABLE = "item_states"
# Rows of so many texts are held while they are written: 60 MB at 25 kB a text.
PART_TEXTS = 2048
ROWS_AT_ONCE = 100_000


class StateTable:
    """The states that the model `version` has made so far."""

    def __init__(self, lake: Lake, version: str) -> None:
        self._lake, self.version = lake, version
        self.table = f"{TABLE}/{version}"

    def keys(self) -> set[bytes]:
        """Of every text that it has read. Raises BadInput for a file that cannot be read."""
        return {key for batch in self._batches(ROWS_AT_ONCE, ["key"]) for key in batch["key"].to_pylist()}

    def add(self, coded: Iterable[Coded], day: str) -> int:
        """Write states that were made for `day`, a file every PART_TEXTS texts; returns how many texts."""
        waiting: list[pa.RecordBatch] = []
        texts = held = 0
        for part in coded:
            waiting.append(as_rows(part))
            texts, held = texts + len(part.keys), held + len(part.keys)
            if held >= PART_TEXTS:
                self._lake.add_rows(pa.Table.from_batches(waiting), self.table, day)
                waiting, held = [], 0
        if waiting:
            self._lake.add_rows(pa.Table.from_batches(waiting), self.table, day)
        return texts

    def blocks(self, wanted: Set[bytes], states: ItemStates) -> Iterator[StateBlock]:
        """The states of the texts `wanted` that it has, each once; the table is read as it goes.

        Raises BadInput for a file that cannot be read, or whose rows are not of the model's form.
        """
        left, dtype = set(wanted), np.dtype(states.kind)
        for batch in self._batches(BLOCK_TEXTS) if wanted else ():
            places = {key: place for place, key in enumerate(batch["key"].to_pylist()) if key in left}
            if not places:
                continue
            left.difference_update(places)
            picked = batch.take(pa.array(places.values()))
            lengths, raw = np.asarray(picked["length"], np.int32), picked["rows"].to_pylist()
            each = states.width * dtype.itemsize
            if any(len(row) != length * each for row, length in zip(raw, lengths.tolist(), strict=True)):
                raise BadInput(self._unusable(f"rows that are not {states.width} x {states.kind} a token"))
            rows = np.frombuffer(b"".join(raw), dtype).reshape(-1, states.width)
            yield StateBlock(self.version, states.kind, states.width, tuple(places), lengths, rows)

    def _batches(self, size: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        if not self._lake.days(self.table):
            return
        folder = UPath(self._lake.path(self.table))
        try:
            files = ds.dataset(folder.path, filesystem=folder.fs, format="parquet")
            yield from files.to_batches(batch_size=size, columns=columns)
        except (pa.ArrowException, OSError) as error:
            raise BadInput(self._unusable(str(error))) from error

    def _unusable(self, why: str) -> str:
        return (
            f"{self._lake.path(self.table)}: {why}; remove the folder, and `python -m jobs encode_items` reads the "
            "catalogue again"
        )


def as_rows(coded: Coded) -> pa.RecordBatch:
    """Rows of contract.schemas.ITEM_STATES."""
    ends = np.cumsum(coded.lengths)
    rows = [
        coded.rows[end - length : end].tobytes()
        for end, length in zip(ends.tolist(), coded.lengths.tolist(), strict=True)
    ]
    return pa.record_batch(
        {
            "key": pa.array(coded.keys, pa.binary()),
            "length": pc.cast(pa.array(coded.lengths), pa.int32()),
            "rows": pa.array(rows, pa.binary()),
        }
    )


def remove_tables(lake: Lake, kept: Collection[str]) -> list[str]:
    """Remove the tables of all models but `kept`; returns which."""
    folder = UPath(lake.path(TABLE))
    if not folder.exists():
        return []
    gone = sorted(entry for entry in folder.iterdir() if entry.name not in kept)
    for entry in gone:
        with suppress(FileNotFoundError):  # another run was quicker
            entry.fs.rm(entry.path, recursive=True)
    return [entry.name for entry in gone]
