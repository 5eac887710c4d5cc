"""Item features: the catalogue as it stood at an instant, with what happened to each item before it."""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from contract.schemas import ITEM_FEATURES
from jobs.features.columns import in_schema
from jobs.features.days import age_days, newer_than

_VERSION = ("title", "text", "categories", "price", "available")

# What lies behind is more than an encoder of 512 tokens reads; kept, it would fill Redis and the ranker's memory.
LONGEST_TEXT = 4000


def item_features(items: DataFrame, sessions: DataFrame, at: datetime) -> DataFrame:
    """ITEM_FEATURES rows as of `at`, from ITEMS rows of any time and SESSIONS rows before `at`.

    An item is as its latest version before `at` says. An item with no version so early is left out, unless
    it has a positive event before `at`: then it was there, its first version was only written later (a
    catalogue exported after the events), and that version stands for it. `vector` and
    `vector_space` are null (jobs.features.embeddings.with_vectors).
    """
    catalogue = _catalogue(items, sessions, at)
    return in_schema(
        _with_segments(catalogue)
        .join(_counts(sessions, at), "item_id", "left")
        .na.fill(0, ["popularity_7d", "popularity_30d", "buyers_30d"])
        .withColumn("age_days", F.greatest(age_days(F.col("first_seen"), at), F.lit(0.0)))
        .withColumns({"vector": F.lit(None), "vector_space": F.lit(None)}),
        ITEM_FEATURES,
    )


def _catalogue(items: DataFrame, sessions: DataFrame, at: datetime) -> DataFrame:
    # A map has no order, and the greatest of versions is sought: it takes part as the list of its entries.
    entries = F.array_sort(F.map_entries(F.map_filter("attributes", lambda _, value: value.isNotNull()))).alias(
        "entries"
    )
    version = F.struct("updated_at", *_VERSION, entries)
    early = F.col("updated_at") < F.lit(at)
    versions = items.groupBy("item_id").agg(
        F.max(F.when(early, version)).alias("latest"),
        F.min(version).alias("first"),
    )
    seen = sessions.groupBy("item_id").agg(F.min("ts").alias("first_event"))
    return (
        versions.join(seen, "item_id", "left")
        .where("latest IS NOT NULL OR first_event IS NOT NULL")
        .withColumn("version", F.coalesce("latest", "first"))
        .select(
            "item_id",
            *(F.col(f"version.{name}").alias(name) for name in _VERSION),
            F.map_from_entries("version.entries").alias("attributes"),
            F.least(F.when(F.col("first.updated_at") < F.lit(at), F.col("first.updated_at")), "first_event").alias(
                "first_seen"
            ),
        )
        .withColumn("text", F.left("text", F.lit(LONGEST_TEXT)))
        .withColumn("attributes", F.coalesce("attributes", F.create_map().cast("map<string,string>")))
        .withColumn("categories", F.coalesce("categories", F.array().cast("array<string>")))
        .withColumn("available", F.coalesce("available", F.lit(True)))
    )


def _with_segments(catalogue: DataFrame) -> DataFrame:
    """`segment`: the first category; the price tercile where no item has a category; else `all`."""
    priced = F.when((F.col("price") > 0) & ~F.isnan("price"), F.col("price"))
    bands = catalogue.agg(
        F.coalesce(F.max(_first_category().isNotNull()), F.lit(False)).alias("has_categories"),
        F.percentile_approx(priced, [1 / 3, 2 / 3], 10_000).alias("terciles"),
    )
    band = (
        F.when(priced.isNull(), "all")
        .when(priced <= F.col("terciles")[0], "price:low")
        .when(priced <= F.col("terciles")[1], "price:mid")
        .otherwise("price:high")
    )
    segment = F.when(F.col("has_categories"), F.coalesce(_first_category(), F.lit("all"))).otherwise(band)
    return catalogue.crossJoin(F.broadcast(bands)).withColumn("segment", segment)


def _first_category() -> Column:
    return F.get(F.filter("categories", lambda category: category.isNotNull() & (category != "")), F.lit(0))


def _counts(sessions: DataFrame, at: datetime) -> DataFrame:
    """Positive events of the last 7 and 30 days; buyers are users, or sessions where the user is unknown."""
    return (
        sessions.where(newer_than(F.col("ts"), 30, at))
        .groupBy("item_id")
        .agg(
            F.count(F.when(newer_than(F.col("ts"), 7, at), 1)).alias("popularity_7d"),
            F.count("*").alias("popularity_30d"),
            F.count_distinct(F.struct("user_id", F.when(F.col("user_id").isNull(), F.col("session_id")))).alias(
                "buyers_30d"
            ),
        )
    )
