"""Verb `candidates`: every source's lists of a day, merged, per user, per item and per segment."""

from argparse import ArgumentParser, Namespace

from pyspark.sql import DataFrame

from contract.scenario import read_scenario
from contract.schemas import ITEM_FEATURES
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.candidates.inputs import Inputs
from jobs.candidates.merge import SourceLists, merged
from jobs.candidates.sources import weighted_sources
from jobs.features.days import end_of
from jobs.features.embeddings import TextEmbeddings
from jobs.features.history import sessions_until
from jobs.lake import Lake
from jobs.spark import spark_session


def arg_parser(settings: Settings) -> ArgumentParser:
    return job_parser("candidates", "Write the candidate lists of a day; run `features` first.", settings)


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput where the day has no item_features, the lake no positive event, or a quota names no source."""
    lake, scenario = Lake(args.lake), read_scenario(settings.night.scenario)
    day = lake.resolve(args.date)
    spark = spark_session("candidates")
    items = lake.read_day(spark, "item_features", day, ITEM_FEATURES)
    sessions = sessions_until(spark, lake, day, scenario)
    embed = TextEmbeddings.of_base_model(spark, lake, day, settings.training)
    inputs = Inputs.of(sessions, items, end_of(day), settings, scenario, embed)
    lake.write_day(candidate_lists(inputs), "candidates", day)
    print(f"candidates {day}: written to {lake.path('candidates', day)}")


def candidate_lists(inputs: Inputs, wanted: DataFrame | None = None) -> DataFrame:
    """CANDIDATES rows from every source with a quota above 0; `wanted` as in jobs.candidates.merge."""
    settings = inputs.settings.candidates
    chosen = weighted_sources(settings.quotas, inputs.repeats)
    proposed = [SourceLists(source.name, weight, source.lists(inputs)) for source, weight in chosen]
    return merged(proposed, inputs.catalogue, settings.list_length, wanted)
