"""What models made of items' texts, in the lake: a table a model, which grows by what each night has new."""

from collections.abc import Collection, Iterable, Iterator, Set

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from upath import UPath

from contract.states import BLOCK_TEXTS, StateBlock
from jobs.lake import Lake
from reranker.item_coding import Coded
from reranker.manifest import ItemStates

TABLE = "item_states"
# Rows of so many texts are held while they are written: 60 MB at 25 kB a text.
PART_TEXTS = 2048


class StateTable:
    """The states that the model `version` has made so far."""

    def __init__(self, lake: Lake, version: str) -> None:
        self._lake, self.version = lake, version
        self.table = f"{TABLE}/{version}"

    def keys(self) -> set[bytes]:
        """Of every text that it has read."""
        if not self._lake.days(self.table):
            return set()
        return set(self._open().to_table(columns=["key"])["key"].to_pylist())

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
        """The states of the texts `wanted` that it has, each once; the table is read as it goes."""
        if not wanted or not self._lake.days(self.table):
            return
        left, dtype = set(wanted), np.dtype(states.kind)
        for batch in self._open().to_batches(batch_size=BLOCK_TEXTS):
            keys = batch["key"].to_pylist()
            chosen = [place for place, key in enumerate(keys) if key in left]
            chosen = list({keys[place]: place for place in chosen}.values())
            if not chosen:
                continue
            left.difference_update(keys[place] for place in chosen)
            picked = batch.take(pa.array(chosen))
            rows = np.frombuffer(b"".join(picked["rows"].to_pylist()), dtype).reshape(-1, states.width)
            lengths = np.asarray(picked["length"], np.int32)
            yield StateBlock(
                self.version, states.kind, states.width, tuple(keys[place] for place in chosen), lengths, rows
            )

    def _open(self) -> ds.Dataset:
        folder = UPath(self._lake.path(self.table))
        return ds.dataset(folder.path, filesystem=folder.fs, format="parquet")


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
        entry.fs.rm(entry.path, recursive=True)
    return [entry.name for entry in gone]
