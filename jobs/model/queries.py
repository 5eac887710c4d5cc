"""The queries of a period: sessions cut into a context that is known and labels that came next."""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

MOST_CONTEXT = 10


def baskets(sessions: DataFrame, since: datetime) -> DataFrame:
    """(query_id, user_id, ts, last, items), one row a session that begins at `since` or later.

    `ts` and `last` are its first and last instant, `items` its distinct items in order of first occurrence.
    """
    in_order = F.sort_array(F.collect_list(F.struct("position_in_session", "item_id"))).getField("item_id")
    return (
        sessions.where(F.col("ts") >= F.lit(since))
        .groupBy(F.col("session_id").alias("query_id"))
        .agg(
            F.max("user_id").alias("user_id"),
            F.min("ts").alias("ts"),
            F.max("ts").alias("last"),
            F.array_distinct(in_order).alias("items"),
            F.min("position_in_session").alias("first_position"),
        )
        .where("first_position = 0")  # else it began before `since`
        .drop("first_position")
    )


def queries(baskets: DataFrame, split: str, start: datetime, end: datetime, limit: int, seed: int) -> DataFrame:
    """(query_id, split, ts, user_id, context, labels): at most `limit` of the sessions within [start, end).

    Only sessions of two items or more that lie in the period as a whole: of one that goes on past `end`, the
    next period's statistics know a part. The first m of n items are the context, 1 <= m <= min(10, n - 1), the
    others the labels; m and the draw are fixed by `seed` and the session's id, whatever the order of the rows.
    """
    context_length = 1 + _dice(seed, "context") % F.least(F.lit(MOST_CONTEXT), F.size("items") - 1)
    return (
        baskets.where((F.col("ts") >= F.lit(start)) & (F.col("last") < F.lit(end)) & (F.size("items") >= 2))
        .orderBy(_dice(seed, "draw"), "query_id")
        .limit(limit)
        .withColumn("m", context_length.cast("int"))
        .select(
            "query_id",
            F.lit(split).alias("split"),
            "ts",
            "user_id",
            F.slice("items", F.lit(1), F.col("m")).alias("context"),
            F.slice("items", F.col("m") + 1, F.size("items")).alias("labels"),
        )
    )


def _dice(seed: int, purpose: str) -> Column:
    """A number >= 0 that depends on the session alone."""
    return F.abs(F.xxhash64(F.lit(f"{seed}:{purpose}"), "query_id") % F.lit(1 << 40))
