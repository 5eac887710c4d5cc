"""Whose vectors a day's items have, and that a model is given none of another's: a cosine would still be a number."""

import pyarrow.compute as pc

from contract.errors import BadInput
from jobs.lake import Lake
from jobs.parquet import open_day
from reranker.manifest import Manifest


def vector_space(lake: Lake, table: str, day: str) -> str:
    """The space of the vectors in `table`, item_features or training_items; "" where the table does not tell.

    Raises BadInput where the day is missing, or its rows have several.
    """
    rows = open_day(lake, table, day)
    if "vector_space" not in rows.schema.names:
        return ""
    found = pc.unique(rows.to_table(["vector_space"])["vector_space"]).drop_null().to_pylist()
    if len(found) > 1:
        raise BadInput(
            f"{lake.path(table, day)}: vectors of {len(found)} base models; run the job that writes it again"
        )
    return found[0] if found else ""


def demand_space(lake: Lake, table: str, day: str, manifest: Manifest) -> None:
    """Raises BadInput where the vectors of the day are not of the base model that the model's were."""
    found = vector_space(lake, table, day)
    if found != manifest.vector_space:
        raise BadInput(
            f"{lake.path(table, day)}: item vectors of base model {found or 'unknown'}, but model {manifest.version} "
            f"learned from those of {manifest.vector_space or 'unknown'}: train a new model, or run the jobs again "
            "with the PACE_TRAINING__BASE_MODEL of then"
        )
