"""Verb `features`: user and item features of a day, from every event up to its end; and what became of its slates."""

from argparse import ArgumentParser, Namespace
from datetime import timedelta

from contract.scenario import read_scenario
from contract.schemas import EVENTS
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.features.days import end_of
from jobs.features.embeddings import TextEmbeddings, with_vectors
from jobs.features.history import item_versions, sessions_until
from jobs.features.items import item_features
from jobs.features.through import slate_through
from jobs.features.users import user_features
from jobs.lake import Lake
from jobs.parquet import open_day
from jobs.spark import spark_session


def arg_parser(settings: Settings) -> ArgumentParser:
    return job_parser("features", "Write user_features, item_features and slate_through of a day.", settings)


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput where the lake has no items, or the base model that embeds their texts does not load."""
    lake, scenario = Lake(args.lake), read_scenario(settings.night.scenario)
    day = lake.resolve(args.date)
    spark = spark_session("features")
    past = sessions_until(spark, lake, day, scenario).cache()
    embed = TextEmbeddings.of_base_model(spark, lake, day, settings.training)
    seen = item_features(item_versions(spark, lake), past, end_of(day))
    items = with_vectors(seen, scenario.text.item, embed, embed.version).cache()
    lake.write_day(items, "item_features", day)
    lake.write_day(user_features(past, items, end_of(day), settings.night.history_length), "user_features", day)
    since = end_of(day) - timedelta(days=settings.slates.days)
    events = lake.read_until(spark, "events", day, EVENTS, f"{since:%Y-%m-%d}")
    through = slate_through(events, end_of(day), settings.slates, scenario.users)
    lake.write_day(through, "slate_through", day)
    [row] = open_day(lake, "slate_through", day).to_table().to_pylist()
    hours = f"{settings.slates.attribution_hours:g} h"
    print(
        f"features {day}: {items.count()} items in {lake.path('item_features', day)}; "
        f"{row['slates']} slates were shown at least {hours} before the end of the day, younger ones do not count yet"
    )
