"""User features: what each user did before an instant."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contract.schemas import USER_FEATURES
from jobs.features.columns import in_schema
from jobs.features.days import age_days


def user_features(sessions: DataFrame, items: DataFrame, at: datetime, history_length: int) -> DataFrame:
    """USER_FEATURES rows as of `at`, from SESSIONS rows before `at` and ITEM_FEATURES rows as of `at`.

    `history` names items of one instant by id, descending. `segment` and `mean_price` weigh an item by its
    positive events; of equally frequent segments the one that sorts first counts. An item that the catalogue
    does not know has no segment and no price.
    """
    touched = (
        sessions.where("user_id IS NOT NULL")
        .groupBy("user_id", "item_id")
        .agg(F.max("ts").alias("last"), F.count("*").alias("times"))
        .join(F.broadcast(items.select("item_id", F.col("segment").alias("item_segment"), "price")), "item_id", "left")
    )
    newest_first = F.sort_array(F.collect_list(F.struct("last", "item_id")), asc=False)
    priced = F.when((F.col("price") > 0) & ~F.isnan("price"), F.col("times"))
    tastes = touched.groupBy("user_id").agg(
        F.slice(newest_first, 1, history_length).getField("item_id").alias("history"),
        F.sum("times").alias("positives"),
        (F.sum(priced * F.col("price")) / F.sum(priced)).alias("mean_price"),
        age_days(F.max("last"), at).alias("days_since_last"),
    )
    segments = (
        touched.where("item_segment IS NOT NULL")
        .groupBy("user_id", "item_segment")
        .agg(F.sum("times").alias("times"))
        .groupBy("user_id")
        .agg(F.min(F.struct(-F.col("times"), "item_segment")).getField("item_segment").alias("segment"))
    )
    visits = (
        sessions.where("user_id IS NOT NULL").groupBy("user_id").agg(F.count_distinct("session_id").alias("sessions"))
    )
    return in_schema(
        tastes.join(visits, "user_id").join(segments, "user_id", "left").na.fill("all", ["segment"]), USER_FEATURES
    )
