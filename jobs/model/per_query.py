"""NDCG@10 of every ranker, query by query, kept beside an evaluation: what a paired comparison is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from contract.errors import BadInput

QUERY = "query_id"


@dataclass(frozen=True, eq=False)
class PerQuery:
    """`ndcg10`: ranker -> float64[queries], in the order of `query_ids`."""

    query_ids: tuple[str, ...]
    ndcg10: Mapping[str, NDArray[np.float64]]


def write_per_query(path: Path, found: PerQuery) -> None:
    """A column a ranker; written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {QUERY: pa.array(found.query_ids, pa.string()), **{name: pa.array(v) for name, v in found.ndcg10.items()}}
    aside = path.with_suffix(".writing")
    pq.write_table(pa.table(columns), aside)
    aside.replace(path)


def read_per_query(path: Path) -> PerQuery:
    """Raises BadInput where there is none, or one that cannot be read."""
    try:
        table = pq.read_table(path)
        names = [name for name in table.column_names if name != QUERY]
        return PerQuery(
            tuple(table[QUERY].to_pylist()), {name: table[name].to_numpy().astype(np.float64) for name in names}
        )
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise BadInput(f"{path}: no figures by query ({error}); run `python -m jobs evaluate` again") from error
