"""Frames in the exact columns of a table of contract.schemas."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType


def in_schema(frame: DataFrame, ddl: str) -> DataFrame:
    """The columns of `ddl`, in its order and types; other columns are dropped."""
    return frame.select(*(F.col(field.name).cast(field.dataType) for field in StructType.fromDDL(ddl)))
