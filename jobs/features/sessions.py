"""Positive events, each in its session: what features, candidates and training queries are made of."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from contract.scenario import Positive, Scenario
from contract.schemas import SESSIONS
from jobs.features.columns import in_schema


def sessions(events: DataFrame, scenario: Scenario) -> DataFrame:
    """SESSIONS rows of EVENTS rows.

    - An event with a session_id is in that session, whoever its user is; by the rule `silence` only where no user
      is known.
    - Another one with a user is in a session that ends at that user's first silence longer than `gap_seconds`.
      Events of every type but impressions break the silence; an impression is the server's doing.
    - One with neither is a session of its own: it still counts for popularity.

    In a scenario without users no user is looked at.

    A row never depends on a later event: the rows before an instant are the sessions of the events before it.
    """
    identified = events.select(
        "event_id", "ts", "type", "item_id", "position", "value",
        _filled("user_id").alias("user_id") if scenario.users else F.lit(None).cast("string").alias("user_id"),
        _filled("session_id").alias("session_id"),
    )  # fmt: skip
    believed = F.col("user_id").isNull()
    if scenario.sessions.rule == "given":
        believed |= F.col("session_id").isNotNull()
    given = identified.where(believed).withColumn("session_id", F.coalesce("session_id", "event_id"))
    by_user = _with_gap_sessions(
        identified.where(~believed & (F.col("type") != "impression")), scenario.sessions.gap_seconds
    )
    positive = given.unionByName(by_user).where(_is_positive(scenario.positive))
    in_order = Window.partitionBy("session_id").orderBy("ts", F.col("position").asc_nulls_last(), "event_id")
    placed = positive.withColumn("position_in_session", F.row_number().over(in_order) - 1)
    return in_schema(placed, SESSIONS)


def _filled(column: str) -> Column:
    """Null for an empty id: an id that is there has at least one character."""
    return F.when(F.col(column) != "", F.col(column))


def _with_gap_sessions(events: DataFrame, gap_seconds: int) -> DataFrame:
    """`session_id` = the user and the microsecond of the session's first event."""
    by_time = Window.partitionBy("user_id").orderBy("ts", "event_id")
    micros = F.unix_micros("ts")
    silent = micros - F.lag(micros).over(by_time) > gap_seconds * 1_000_000
    starts = F.when(F.coalesce(silent, F.lit(True)), micros)
    started = F.max("starts").over(by_time.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    return (
        events.withColumn("starts", starts)
        .withColumn("session_id", F.concat_ws("@", "user_id", started.cast("string")))
        .drop("starts")
    )


def _is_positive(positive: Positive) -> Column:
    high_enough = (F.col("type") != "rating") | (F.col("value") >= F.lit(positive.rating_from))
    return F.col("type").isin(*positive.types) & F.coalesce(high_enough, F.lit(False))
