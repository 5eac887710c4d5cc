"""Which rows of the training pairs are asked for: 16 bytes of memory a query, whatever a row holds."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
from numpy.typing import NDArray

from contract.errors import BadInput
from jobs.lake import Lake
from jobs.parquet import open_day

ROWS_PER_BATCH = 250


@dataclass(frozen=True, eq=False)
class Draw:
    """Rows of `groups`, the row groups of a day's files: row `row[i]` of `groups[group[i]]`, in the draw's order.

    `cuts` are theirs. `fingerprint` changes with the files and with what was drawn.
    """

    groups: Sequence[Any]
    group: NDArray[np.int32]
    row: NDArray[np.int32]
    cuts: frozenset[datetime]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.row)

    def first(self, count: int) -> list[dict[str, Any]]:
        """The first `count` rows of the draw, in its order: a random sample, whatever the order in the files."""
        head = [(int(group), int(row)) for group, row in zip(self.group[:count], self.row[:count], strict=True)]
        found = {}
        for group in sorted({group for group, _ in head}):
            rows = np.array(sorted(row for one, row in head if one == group))
            read = (row for table in read_rows(self.groups[group], rows) for row in table.to_pylist())
            found.update(zip(((group, int(row)) for row in rows), read, strict=True))
        return [found[place] for place in head]

    def tables(self, order: Sequence[int], skip: int = 0) -> Iterator[pa.RecordBatch]:
        """All rows but the first `skip`, `order` being that of the row groups; what is skipped is not read."""
        by_group = np.lexsort((self.row, self.group))
        starts = np.searchsorted(self.group[by_group], np.arange(len(self.groups) + 1))
        for group in order:
            rows = self.row[by_group[starts[group] : starts[group + 1]]]
            if skip < len(rows):
                yield from read_rows(self.groups[group], rows[skip:])
            skip = max(0, skip - len(rows))


def draw(
    lake: Lake, day: str, split: str, task: str, limit: int, seed: int, candidates: int, hit: bool, needed: bool = True
) -> Draw:
    """At most `limit` queries of a split and task, drawn by `seed` and independent of the order in the files.

    With `hit` only queries count that have a label among their first `candidates`: others teach nothing. Raises
    BadInput where the day is missing, or where queries are `needed` and there are none.
    """
    groups = row_groups(open_day(lake, "training_pairs", day))
    places, group, row = [np.zeros(0, np.uint64)], [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    cuts: set[datetime] = set()
    columns = ["split", "task", "cut", "query_id", *(("labels", "entries") if hit else ())]
    for number, piece in enumerate(groups):
        begins = 0
        for batch in _batches(piece, columns):
            rows = [at for at in _asked(batch, split, task) if not hit or _hits(batch, at, candidates)]
            ids = batch["query_id"].take(pa.array(rows, pa.int32())).to_pylist()
            places.append(np.array([_place(seed, query_id) for query_id in ids], np.uint64))
            row.append(np.array(rows, np.int32) + begins)
            group.append(np.full(len(rows), number, np.int32))
            cuts.update(batch["cut"].take(pa.array(rows, pa.int32())).unique().to_pylist())
            begins += len(batch)
    chosen = np.argsort(np.concatenate(places), kind="stable")[:limit]
    if not len(chosen) and needed:
        raise BadInput(
            f"{lake.path('training_pairs', day)}: no {split} query of task {task}"
            + (" has a taken item among its candidates" if hit else "")
            + ": import more events, or widen PACE_TRAINING__TRAIN_DAYS and PACE_TRAINING__TEST_DAYS"
        )
    drawn = np.concatenate(group)[chosen], np.concatenate(row)[chosen]
    return Draw(groups, *drawn, frozenset(cuts), _fingerprint(groups, np.stack(drawn)))


def row_groups(pairs: ds.Dataset) -> list[Any]:
    """Every row group of every file, in the order of the files' names."""
    files = sorted(pairs.get_fragments(), key=lambda fragment: fragment.path)
    return [group for file in files for group in file.split_by_row_group()]


def read_rows(group: Any, rows: NDArray[np.int32]) -> Iterator[pa.RecordBatch]:
    """The rows of a row group at `rows`, which are in order; decoded a few at a time."""
    begins = 0
    for batch in _batches(group, None):
        low, high = np.searchsorted(rows, (begins, begins + len(batch)))
        if high > low:
            yield batch.take(pa.array(rows[low:high] - begins))
        begins += len(batch)
        if high == len(rows):
            return


def _batches(group: Any, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    """Without read-ahead: by default sixteen batches would wait in memory."""
    found: Iterator[pa.RecordBatch] = group.to_batches(
        columns=columns, batch_size=ROWS_PER_BATCH, batch_readahead=1, fragment_readahead=1, use_threads=False
    )
    return found


def _asked(batch: pa.RecordBatch, split: str, task: str) -> Iterator[int]:
    kinds = zip(batch["split"].to_pylist(), batch["task"].to_pylist(), strict=True)
    return (at for at, kind in enumerate(kinds) if kind == (split, task))


def _hits(batch: pa.RecordBatch, at: int, candidates: int) -> bool:
    listed = batch["entries"][at].values.field("item_id").slice(0, candidates)
    return not set(batch["labels"][at].as_py()).isdisjoint(listed.to_pylist())


def _place(seed: int, query_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{query_id}".encode(), digest_size=8).digest())


def _fingerprint(groups: Sequence[Any], drawn: NDArray[np.int32]) -> str:
    digest = hashlib.blake2b(drawn.tobytes(), digest_size=12)
    for path in sorted({group.path for group in groups}):
        digest.update(path.encode())
    for info in groups[0].filesystem.get_file_info(sorted({group.path for group in groups})) if groups else ():
        digest.update(f"{info.size}:{info.mtime_ns}".encode())
    return digest.hexdigest()
