"""user_features and item_features in polars: the same rows as the Spark job `features`, for comparison.

`python -m benchmarks.polars_features --lake DIR --date YYYY-MM-DD --out DIR`. One process, one machine; the lake's
items and events are read as the Spark job reads them.
"""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from contract.scenario import Scenario, read_scenario
from contract.settings import read_settings
from jobs.features.days import end_of
from jobs.features.items import LONGEST_TEXT


def read_until(lake: Path, table: str, day: str) -> pl.LazyFrame:
    """Every day of a table of the lake up to and including `day`."""
    folders = sorted(folder for folder in (lake / table).glob("day=*") if folder.name <= f"day={day}")
    return pl.scan_parquet([folder / "*.parquet" for folder in folders], hive_partitioning=False)


def sessions(events: pl.LazyFrame, scenario: Scenario) -> pl.LazyFrame:
    """Positive events with their session: given, made of the user's gaps, or one of their own."""
    user, given = (pl.when(pl.col(name) != "").then(pl.col(name)) for name in ("user_id", "session_id"))
    known = events.with_columns((user if scenario.users else pl.lit(None)).alias("user_id"), given.alias("session_id"))
    has_session, has_user = pl.col("session_id").is_not_null(), pl.col("user_id").is_not_null()
    believed = (has_session | ~has_user) if scenario.sessions.rule == "given" else ~has_user
    given_or_alone = known.filter(believed).with_columns(session_id=pl.coalesce("session_id", "event_id"))
    silence = pl.col("ts").diff().over("user_id", order_by=["ts", "event_id"])
    starts = silence.is_null() | (silence > timedelta(seconds=scenario.sessions.gap_seconds))
    started = pl.when(pl.col("starts")).then(pl.col("ts")).forward_fill().over("user_id", order_by=["ts", "event_id"])
    by_user = (
        known.filter(~believed, pl.col("type") != "impression")
        .with_columns(starts=starts)
        .with_columns(
            session_id=pl.concat_str("user_id", started.cast(pl.Datetime("us", "UTC")).dt.epoch("us"), separator="@")
        )
        .drop("starts")
    )
    high_enough = (pl.col("type") != "rating") | (pl.col("value") >= scenario.positive.rating_from).fill_null(False)
    positive = pl.col("type").is_in(list(scenario.positive.types)) & high_enough
    return pl.concat([given_or_alone, by_user]).filter(positive)


PAIRS = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))


def item_features(items: pl.LazyFrame, past: pl.LazyFrame, at: datetime) -> pl.LazyFrame:
    """ITEM_FEATURES rows as of `at`."""
    version = ["title", "text", "categories", "price", "available", "attributes"]
    early = pl.col("updated_at") < at
    given = pl.element().filter(pl.element().struct.field("value").is_not_null())
    versions = items.group_by("item_id").agg(
        pl.struct(version).sort_by("updated_at").filter(early.sort_by("updated_at")).last().alias("latest"),
        pl.struct(version).sort_by("updated_at").first().alias("first"),
        pl.col("updated_at").filter(early).min().alias("first_update"),
    )
    seen = past.group_by("item_id").agg(pl.col("ts").min().alias("first_event"))
    catalogue = (
        versions.join(seen, on="item_id", how="left")
        .filter(pl.col("latest").is_not_null() | pl.col("first_event").is_not_null())
        .with_columns(
            pl.coalesce("latest", "first").alias("version"),
            pl.min_horizontal("first_update", "first_event").alias("first_seen"),
        )
        .select("item_id", "first_seen", pl.col("version").struct.unnest())
        .with_columns(
            pl.col("categories").fill_null([]),
            pl.col("available").fill_null(True),
            pl.col("text").str.head(LONGEST_TEXT),
            pl.col("attributes").cast(PAIRS).list.eval(given.sort()).fill_null([]).cast(pl.Map(pl.String, pl.String)),
        )
    )
    return (
        with_segments(catalogue.collect())
        .lazy()
        .join(counts(past, at), on="item_id", how="left")
        .with_columns(
            pl.col("popularity_7d", "popularity_30d", "buyers_30d").fill_null(0).cast(pl.Int32),
            age_days=pl.max_horizontal(days_until(pl.col("first_seen"), at), 0.0),
        )
        .drop("first_seen")
    )


def with_segments(catalogue: pl.DataFrame) -> pl.DataFrame:
    """`segment`: the first category; the price tercile where no item has a category; else `all`."""
    category = pl.col("categories").list.eval(pl.element().filter(pl.element() != "")).list.first()
    if catalogue.select(category.is_not_null().any()).item():
        return catalogue.with_columns(segment=category.fill_null("all"))
    price = catalogue["price"].to_numpy()
    priced = price[np.isfinite(price) & (price > 0)]
    if not len(priced):
        return catalogue.with_columns(segment=pl.lit("all"))
    low, high = np.quantile(priced, [1 / 3, 2 / 3], method="inverted_cdf")
    known = (pl.col("price") > 0) & ~pl.col("price").is_nan()
    band = (
        pl.when(~known.fill_null(False))
        .then(pl.lit("all"))
        .when(pl.col("price") <= low)
        .then(pl.lit("price:low"))
        .when(pl.col("price") <= high)
        .then(pl.lit("price:mid"))
        .otherwise(pl.lit("price:high"))
    )
    return catalogue.with_columns(segment=band)


def counts(past: pl.LazyFrame, at: datetime) -> pl.LazyFrame:
    """Positive events of the last 7 and 30 days, and the buyers of the last 30."""
    buyer = pl.struct("user_id", pl.when(pl.col("user_id").is_null()).then("session_id"))
    return (
        past.filter(pl.col("ts") >= at - timedelta(days=30))
        .group_by("item_id")
        .agg(
            (pl.col("ts") >= at - timedelta(days=7)).sum().alias("popularity_7d"),
            pl.len().alias("popularity_30d"),
            buyer.n_unique().alias("buyers_30d"),
        )
    )


def user_features(past: pl.LazyFrame, items: pl.LazyFrame, at: datetime, history_length: int) -> pl.LazyFrame:
    """USER_FEATURES rows as of `at`."""
    known = past.filter(pl.col("user_id").is_not_null())
    touched = (
        known.group_by("user_id", "item_id")
        .agg(pl.col("ts").max().alias("last"), pl.len().alias("times"))
        .join(items.select("item_id", pl.col("segment").alias("item_segment"), "price"), on="item_id", how="left")
    )
    priced = pl.when((pl.col("price") > 0) & ~pl.col("price").is_nan()).then("times")
    tastes = touched.group_by("user_id").agg(
        pl.col("item_id").sort_by("last", "item_id", descending=True).head(history_length).alias("history"),
        pl.col("times").sum().cast(pl.Int32).alias("positives"),
        pl.when(priced.count() > 0).then((priced * pl.col("price")).sum() / priced.sum()).alias("mean_price"),
        days_until(pl.col("last").max(), at).alias("days_since_last"),
    )
    segments = (
        touched.filter(pl.col("item_segment").is_not_null())
        .group_by("user_id", "item_segment")
        .agg(pl.col("times").sum())
        .group_by("user_id")
        .agg(
            pl.col("item_segment").sort_by(["times", "item_segment"], descending=[True, False]).first().alias("segment")
        )
    )
    visits = known.group_by("user_id").agg(pl.col("session_id").n_unique().cast(pl.Int32).alias("sessions"))
    return (
        tastes.join(visits, on="user_id")
        .join(segments, on="user_id", how="left")
        .with_columns(pl.col("segment").fill_null("all"))
    )


def days_until(ts: pl.Expr, at: datetime) -> pl.Expr:
    """Days from `ts` to `at`, as a double."""
    return (at.timestamp() - ts.dt.epoch("us") / 1e6) / 86_400.0


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.polars_features", description=__doc__)
    parser.add_argument("--lake", type=Path, required=True)
    parser.add_argument("--date", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    night = read_settings().night
    scenario = read_scenario(night.scenario)
    at = end_of(args.date)
    past = sessions(read_until(args.lake, "events", args.date).filter(pl.col("ts") < at), scenario).collect().lazy()
    items = item_features(read_until(args.lake, "items", "9999-12-31"), past, at).collect()
    args.out.mkdir(parents=True, exist_ok=True)
    items.write_parquet(args.out / "item_features.parquet")
    users = user_features(past, items.lazy(), at, night.history_length).collect()
    users.write_parquet(args.out / "user_features.parquet")
    print(f"{len(items)} items, {len(users)} users")


if __name__ == "__main__":
    main()
