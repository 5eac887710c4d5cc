"""What becomes of each checked row: new, known already, or set aside for what other rows say."""

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

NEW = "new"
KNOWN = "known"
DUPLICATE = "a second row of the same id that says something else"
UNKNOWN_ITEM = "item_id: not in the catalogue (import it, then this file again)"


def with_verdict(rows: DataFrame, key: Sequence[str], columns: Sequence[str], known: DataFrame | None) -> DataFrame:
    """`rows` with `verdict`. Of the rows with one `key`, the first of the first file is taken; one that says
    the same is KNOWN, one that differs in any of `columns` is a DUPLICATE. `known`: keys that the lake holds.
    """
    in_order = Window.partitionBy(*key).orderBy("place", "row_number")
    content = F.xxhash64(*(_hashable(rows, column) for column in columns))
    judged = (
        rows.withColumn("content", content)
        .withColumn("nth", F.row_number().over(in_order))
        .withColumn("first_content", F.first("content").over(in_order))
    )
    if known is None:
        judged = judged.withColumn("held", F.lit(None).cast("boolean"))
    else:
        judged = judged.join(known.select(*key).distinct().withColumn("held", F.lit(True)), list(key), "left")
    verdict = (
        F.when((F.col("nth") > 1) & (F.col("content") != F.col("first_content")), F.lit(f"{key[0]}: {DUPLICATE}"))
        .when((F.col("nth") > 1) | F.col("held"), F.lit(KNOWN))
        .otherwise(F.lit(NEW))
    )
    return judged.withColumn("verdict", verdict).drop("content", "nth", "first_content", "held")


def without_unknown_items(judged: DataFrame, catalogue: DataFrame) -> DataFrame:
    """New events of an item that `catalogue` (column item_id, each once) lacks become UNKNOWN_ITEM."""
    listed = catalogue.withColumn("listed", F.lit(True))
    unknown = (F.col("verdict") == NEW) & F.col("listed").isNull()
    return (
        judged.join(listed, "item_id", "left")
        .withColumn("verdict", F.when(unknown, F.lit(UNKNOWN_ITEM)).otherwise(F.col("verdict")))
        .drop("listed")
    )


def as_quarantine(judged: DataFrame, table: str, columns: Sequence[str], max_raw: int, now: datetime) -> DataFrame:
    """The rows set aside as contract.schemas.QUARANTINE, with `place`."""
    return judged.where(~F.col("verdict").isin(NEW, KNOWN)).select(
        "source_file",
        "row_number",
        F.lit(table).alias("table_name"),
        F.col("verdict").alias("reason"),
        F.substring(F.to_json(F.struct(*columns)), 1, max_raw).alias("raw"),
        F.lit(now).alias("quarantined_at"),
        "place",
    )


def _hashable(rows: DataFrame, column: str) -> F.Column:
    # Maps cannot be hashed: their entries can, in order of the key.
    is_map = rows.schema[column].dataType.typeName() == "map"
    return F.array_sort(F.map_entries(column)) if is_map else F.col(column)
