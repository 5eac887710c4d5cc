"""What was chosen before the cut of the test period, as sparse matrices that id-based baselines learn from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from jobs.lake import Lake
from jobs.model.dataset import Query
from jobs.parquet import open_day


@dataclass(frozen=True, eq=False)
class Interactions:
    """TRAINING_HISTORY rows. `items`: every chosen item once, sorted; its place is its column in every matrix."""

    rows: pa.Table

    @staticmethod
    def read(lake: Lake, day: str) -> "Interactions":
        """Raises BadInput where the day is missing."""
        names = ["session_id", "user_id", "item_id", "ts", "position_in_session"]
        return Interactions(open_day(lake, "training_history", day).to_table(names))

    @cached_property
    def items(self) -> NDArray[np.object_]:
        return np.array(sorted(pc.unique(self.rows["item_id"]).to_pylist()), object)

    @cached_property
    def column(self) -> dict[str, int]:
        return {item: place for place, item in enumerate(self.items)}

    @cached_property
    def sessions(self) -> sparse.csr_matrix:
        """float32[sessions, items], 1 where the session holds the item; the latest session last."""
        last = self.rows.group_by("session_id").aggregate([("ts", "max")]).sort_by("ts_max")
        return self._matrix("session_id", last["session_id"])

    @cached_property
    def users(self) -> sparse.csr_matrix:
        """float32[users, items], 1 where the user chose the item, in order of `user_row`."""
        return self._matrix("user_id", pa.array(list(self.user_row), pa.string()))

    @cached_property
    def user_row(self) -> dict[str, int]:
        known = sorted(user for user in pc.unique(self.rows["user_id"]).to_pylist() if user is not None)
        return {user: row for row, user in enumerate(known)}

    @cached_property
    def baskets(self) -> NDArray[np.int64]:
        """int64[items]: the number of sessions that hold each item."""
        return np.asarray(self.sessions.sum(0)).ravel().astype(np.int64)

    def known(self, query: Query) -> sparse.csr_matrix:
        """float32[1, items]: what the query tells: its context, or the user's whole past where it has none."""
        if not query.context:
            row = self.user_row.get(query.user.user_id) if query.user else None
            return self.users[row] if row is not None else self.row(())
        return self.row(item.item_id for item in query.context)

    def row(self, item_ids: Iterable[str]) -> sparse.csr_matrix:
        """float32[1, items] with 1 for each known item."""
        columns = sorted({self.column[item] for item in item_ids if item in self.column})
        return _ones(np.zeros(len(columns), np.int64), np.array(columns, np.int64), (1, len(self.items)))

    def ids(self, columns: Sequence[int] | NDArray[np.integer]) -> tuple[str, ...]:
        return tuple(self.items[np.asarray(columns, np.int64)].tolist())

    def _matrix(self, key: str, keys: pa.Array | pa.ChunkedArray) -> sparse.csr_matrix:
        row = pc.index_in(self.rows[key], keys)
        column = pc.index_in(self.rows["item_id"], pa.array(self.items.tolist()))
        there = pc.is_valid(row)
        rows, columns = np.asarray(row.filter(there), np.int64), np.asarray(column.filter(there), np.int64)
        return _ones(rows, columns, (len(keys), len(self.items)))


def _ones(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    matrix.data[:] = 1.0  # duplicates were added up
    return matrix
