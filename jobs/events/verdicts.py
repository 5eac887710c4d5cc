"""What other rows say of a checked row, found by Spark: a row of the same id, the lake, the catalogue."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

KNOWN = "known"
DUPLICATE = "a second row of this id, and it says something else"
CONTRADICTS = "the lake has a row of this id, and it says something else"
UNKNOWN_ITEM = "item_id: not in the catalogue (import the item, then this file again)"


def rows_not_new(
    rows: DataFrame,
    key: Sequence[str],
    columns: Sequence[str],
    held: DataFrame | None,
    catalogue: DataFrame | None,
) -> DataFrame:
    """The rows that do not enter the lake: place, row_number, verdict.

    `rows`: place (the file's), row_number and `columns`. Of the rows of one `key` the first of the first
    file counts; one that says the same in all `columns` is KNOWN, any other a DUPLICATE. `held`: the rows that
    the lake has: what says the same is KNOWN too, what doesn't CONTRADICTS it. `catalogue`: the item_ids there
    are, of which the rest are UNKNOWN_ITEM.
    """
    in_order = Window.partitionBy(*key).orderBy("place", "row_number")
    judged = (
        rows.withColumn("content", _content(rows, columns))
        .select("place", "row_number", *dict.fromkeys((*key, "item_id")), "content")
        .withColumn("nth", F.row_number().over(in_order))
        .withColumn("differs", F.col("content") != F.first("content").over(in_order))
    )
    verdict = F.when(F.col("differs"), f"{key[0]}: {DUPLICATE}").when(F.col("nth") > 1, KNOWN)
    if held is not None:
        met = held.join(rows.select(*key).distinct(), list(key), "left_semi")
        judged = judged.join(met.select(*key, _content(met, columns).alias("said")), list(key), "left")
        verdict = verdict.when(F.col("said") == F.col("content"), KNOWN)
        verdict = verdict.when(F.col("said").isNotNull(), f"{key[0]}: {CONTRADICTS}")
    if catalogue is not None:
        judged = judged.join(
            catalogue.select("item_id").distinct().withColumn("listed", F.lit(True)), "item_id", "left"
        )
        verdict = verdict.when(F.col("listed").isNull(), UNKNOWN_ITEM)
    return judged.select("place", "row_number", verdict.alias("verdict")).where(F.col("verdict").isNotNull())


def _content(rows: DataFrame, columns: Sequence[str]) -> Column:
    return F.xxhash64(*(_hashable(rows, column) for column in columns))


def _hashable(rows: DataFrame, column: str) -> Column:
    # A map has no hash, but its entries have, in the order of their keys.
    is_map = rows.schema[column].dataType.typeName() == "map"
    return F.array_sort(F.map_entries(column)) if is_map else F.col(column)
