"""The queries of a period: what was known, and the labels that came next.

basket      a session's first items are the context, its others the labels
next_visit  a user's whole next session are the labels; the context is empty, the history is all there is
"""

from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from contract.scenario import Task

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


def queries(
    baskets: DataFrame, task: Task, split: str, start: datetime, end: datetime, cut: datetime, limit: int, seed: int
) -> DataFrame:
    """(query_id, split, task, cut, ts, user_id, context, labels): at most `limit` sessions within [start, end).

    Only sessions that lie in the period as a whole: of one that goes on past `end`, the next period's statistics
    know a part. For `basket` the first m of n >= 2 items are the context, 1 <= m <= min(10, n - 1), the others the
    labels. For `next_visit` only the first session of each user counts: what a later one follows on, the cut does
    not know. m and the draw are fixed by `seed` and the session's id, whatever the order of the rows.
    """
    within = baskets.where((F.col("ts") >= F.lit(start)) & (F.col("last") < F.lit(end)))
    asked = _next_visits(within) if task == "next_visit" else _baskets(within, seed)
    return (
        asked.orderBy(_dice(seed, "draw"), "query_id")
        .limit(limit)
        .select(
            "query_id",
            F.lit(split).alias("split"),
            F.lit(task).alias("task"),
            F.lit(cut).alias("cut"),
            "ts",
            "user_id",
            F.slice("items", F.lit(1), F.col("m")).alias("context"),
            F.slice("items", F.col("m") + 1, F.size("items")).alias("labels"),
        )
    )


def _baskets(within: DataFrame, seed: int) -> DataFrame:
    """With `m`, the number of items that are context."""
    context_length = 1 + _dice(seed, "context") % F.least(F.lit(MOST_CONTEXT), F.size("items") - 1)
    return within.where(F.size("items") >= 2).withColumn("m", context_length.cast("int"))


def _next_visits(within: DataFrame) -> DataFrame:
    """The first session of each known user, with `m` = 0."""
    first = Window.partitionBy("user_id").orderBy("ts", "query_id")
    return (
        within.where("user_id IS NOT NULL")
        .withColumn("visit", F.row_number().over(first))
        .where("visit = 1")
        .withColumn("m", F.lit(0))
    )


def _dice(seed: int, purpose: str) -> Column:
    """A number >= 0 that depends on the session alone."""
    return F.abs(F.xxhash64(F.lit(f"{seed}:{purpose}"), "query_id") % F.lit(1 << 40))
