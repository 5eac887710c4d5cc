"""Verb `training_pairs`: queries of the temporal split, each with what serving would have known and what came next.

    ... past ... | train ..... validation | test ...... | end of the day
                 ^ cut of train and validation          |
                                          ^ cut of test

Candidates and records of a split are computed from events before its cut alone, by the functions of the night
itself: a query sees nothing of its own period.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import reduce
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contract.errors import BadInput
from contract.schemas import TRAINING_ITEMS, TRAINING_PAIRS
from contract.settings import Settings, Training
from jobs.arguments import job_parser
from jobs.candidates.build import candidate_lists
from jobs.candidates.embeddings import TextEmbeddings
from jobs.candidates.inputs import Embed, Inputs
from jobs.features.columns import in_schema
from jobs.features.days import end_of
from jobs.features.history import item_versions, sessions_until
from jobs.features.items import item_features
from jobs.features.users import user_features
from jobs.lake import Lake
from jobs.model.queries import baskets, queries
from jobs.model.query_candidates import needed_lists, with_candidates
from jobs.model.recall import recall_table
from jobs.spark import settled, spark_session

# Share of the train period that validates, at its end.
VALIDATION_SHARE = 0.1


class Period(NamedTuple):
    """Queries of `split` lie in [start, end) and know what happened before `cut`."""

    split: str
    start: datetime
    end: datetime
    cut: datetime
    limit: int


def arg_parser(settings: Settings) -> ArgumentParser:
    return job_parser(
        "training_pairs", "Write the queries of the temporal split, with candidates and labels.", settings
    )


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput where the lake has no items, no event before a cut, or no query in the train or test period."""
    lake = Lake(args.lake)
    day = lake.resolve(args.date)
    spark = spark_session("training_pairs")
    sessions = sessions_until(spark, lake, day, settings.night)
    embed = TextEmbeddings.of_base_model(spark, lake, day, settings.training)
    pairs, items = training_pairs(sessions, item_versions(spark, lake), end_of(day), settings, embed)
    lake.write_day(pairs, "training_pairs", day)
    lake.write_day(items, "training_items", day)
    report(lake.read_day(spark, "training_pairs", day, TRAINING_PAIRS), day)


def training_pairs(
    sessions: DataFrame, versions: DataFrame, end: datetime, settings: Settings, embed: Embed
) -> tuple[DataFrame, DataFrame]:
    """TRAINING_PAIRS and TRAINING_ITEMS rows of SESSIONS rows before `end` and ITEMS rows of any time.

    Raises BadInput where nothing happened before a cut.
    """
    sessions, versions = settled(sessions), settled(versions)
    periods = split_periods(end, settings.training)
    whole = settled(baskets(sessions, min(period.start for period in periods)))
    pairs, items = [], []
    for cut, of_cut in by_cut(periods):
        past = sessions.where(F.col("ts") < F.lit(cut))
        seen = settled(item_features(versions, past, cut))
        users = user_features(past, seen, cut, settings.night.history_length)
        drawn = [queries(whole, p.split, p.start, p.end, p.limit, settings.night.seed) for p in of_cut]
        asked = settled(reduce(DataFrame.unionByName, drawn).join(users, "user_id", "left"))
        inputs = Inputs.of(past, seen, cut, settings, embed)
        lists = candidate_lists(inputs, needed_lists(asked, seen))
        pairs.append(with_candidates(asked, lists, seen, settings.training.candidates))
        splits = F.explode(F.array(*(F.lit(period.split) for period in of_cut)))
        items.append(seen.withColumn("split", splits))
    return (
        in_schema(reduce(DataFrame.unionByName, pairs), TRAINING_PAIRS),
        in_schema(reduce(DataFrame.unionByName, items), TRAINING_ITEMS),
    )


def split_periods(end: datetime, training: Training) -> list[Period]:
    """train, validation and test, back from `end`."""
    test_start = end - timedelta(days=training.test_days)
    train_start = test_start - timedelta(days=training.train_days)
    validation_start = test_start - timedelta(days=training.train_days) * VALIDATION_SHARE
    return [
        Period("train", train_start, validation_start, train_start, training.sample_queries),
        Period("validation", validation_start, test_start, train_start, training.test_queries),
        Period("test", test_start, end, test_start, training.test_queries),
    ]


def by_cut(periods: Sequence[Period]) -> Iterator[tuple[datetime, list[Period]]]:
    """The periods that share a cut: their candidates are computed once."""
    for cut in sorted({period.cut for period in periods}):
        yield cut, [period for period in periods if period.cut == cut]


def report(pairs: DataFrame, day: str) -> None:
    """Prints the recall of each split. Raises BadInput where the train or the test period has no query."""
    rows = {row.split: row for row in recall_table(pairs)}
    for split in ("train", "test"):
        if split not in rows:
            raise BadInput(
                f"training_pairs {day}: no session of two items lies in the {split} period: import more events, or "
                "change PACE_TRAINING__TRAIN_DAYS and PACE_TRAINING__TEST_DAYS"
            )
    for split in ("train", "validation", "test"):
        if split in rows:
            print(f"training_pairs {day}: {rows[split]}")
