"""What became of the slates that were shown: the share of them after which a shown item was clicked, or bought."""

from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from contract.records import FOLLOWED_BY
from contract.schemas import SLATE_THROUGH
from contract.settings import Slates
from jobs.features.columns import in_schema


def slate_through(events: DataFrame, end: datetime, settings: Slates, users: bool = True) -> DataFrame:
    """One row SLATE_THROUGH of EVENTS rows, as of the end of the night.

    Of the slates of the last `days` days, without the last `attribution_hours`, so that each has had its time. A share
    is null where there is no slate, or where no event of its type is in those days: then they are not recorded.
    Without `users` (of the scenario) no user is looked at.
    """
    since, wait = end - timedelta(days=settings.days), timedelta(hours=settings.attribution_hours)
    recent = events.where((F.col("ts") >= F.lit(since)) & (F.col("ts") < F.lit(end)))
    if not users:
        recent = recent.withColumn("user_id", F.lit(None).cast("string"))
    shown = shown_items(recent.where(F.col("ts") < F.lit(end - wait)))
    acts = recent.where(F.col("type").isin(*FOLLOWED_BY))
    followed = followed_slates(shown, acts, wait)
    row = (
        shown.agg(F.count_distinct("slate").alias("slates"))
        .crossJoin(acts.agg(*(_count_of(name).alias(f"{name}_events") for name in FOLLOWED_BY)))
        .crossJoin(followed.agg(*(_count_of(name).alias(f"{name}_slates") for name in FOLLOWED_BY)))
    )
    shares = {
        name: F.when(F.col(f"{name}_events") > 0, F.try_divide(f"{name}_slates", "slates")).alias(name)
        for name in FOLLOWED_BY
    }
    return in_schema(row.select("slates", *shares.values()), SLATE_THROUGH)


def shown_items(events: DataFrame) -> DataFrame:
    """A row an item of a slate: slate (the recommendation_id), item_id, shown_at, user_id, session_id.

    An impression without a recommendation_id is of no slate that is known.
    """
    return (
        events.where((F.col("type") == "impression") & (F.col("recommendation_id") != ""))
        .groupBy(F.col("recommendation_id").alias("slate"), "item_id")
        .agg(F.min("ts").alias("shown_at"), F.max("user_id").alias("user_id"), F.max("session_id").alias("session_id"))
    )


def followed_slates(shown: DataFrame, acts: DataFrame, wait: timedelta) -> DataFrame:
    """The slates that an event followed, up to `wait` after them: slate and type, each pair once.

    An event that names a recommendation_id is of that slate alone; another one of every slate that showed its item to
    the same user or in the same session before it.
    """
    owners = (_key("user", "user_id"), _key("session", "session_id"))
    of_slate = _key("slate", "recommendation_id")
    shown_to = shown.select(
        "slate", "item_id", "shown_at", F.explode(F.array(_key("slate", "slate"), *owners)).alias("by")
    )
    acted = acts.select(
        "type", "ts", "item_id",
        F.explode(F.when(of_slate.isNotNull(), F.array(of_slate)).otherwise(F.array(*owners))).alias("by"),
    )  # fmt: skip
    in_time = (F.col("ts") > F.col("shown_at")) & (F.col("ts") <= F.col("shown_at") + F.lit(wait))
    return shown_to.join(acted, ["by", "item_id"]).where(in_time).select("slate", "type").distinct()


def _key(kind: str, column: str) -> Column:
    """Null, which joins nothing, for an id that is null or empty."""
    return F.when(F.col(column) != "", F.concat(F.lit(f"{kind}:"), column))


def _count_of(name: str) -> Column:
    return F.count(F.when(F.col("type") == name, 1))
