"""Verb `training_pairs`: queries of the temporal split, each with what serving would have known and what came next.

    ... past ... | train ..... validation | test ...... | end of the day
                 ^ cut   (^ cut)           ^ cut of test

Candidates and records of a query are computed from events before its cut alone, by the functions of the night
itself: a query sees nothing of its own period. Train has one cut, or one every `training.cut_days`; validation shares
the last of them.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise
from typing import NamedTuple, get_args

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contract.errors import BadInput
from contract.scenario import Scenario, Task, read_scenario
from contract.schemas import TRAINING_HISTORY, TRAINING_ITEMS, TRAINING_PAIRS
from contract.settings import Settings, Training
from jobs.arguments import job_parser
from jobs.candidates.build import candidate_lists
from jobs.candidates.inputs import Inputs
from jobs.features.columns import in_schema
from jobs.features.days import end_of
from jobs.features.embeddings import Embed, TextEmbeddings, with_vectors
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
    task: Task
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
    lake, scenario = Lake(args.lake), read_scenario(settings.night.scenario)
    day = lake.resolve(args.date)
    spark = spark_session("training_pairs")
    sessions = sessions_until(spark, lake, day, scenario)
    embed = TextEmbeddings.of_base_model(spark, lake, day, settings.training)
    pairs, items = training_pairs(
        sessions, item_versions(spark, lake), end_of(day), settings, scenario, embed, embed.version
    )
    lake.write_day(pairs, "training_pairs", day)
    lake.write_day(items, "training_items", day)
    lake.write_day(training_history(sessions, end_of(day), settings.training), "training_history", day)
    written = lake.read_day(spark, "training_pairs", day, TRAINING_PAIRS)
    report(written, scenario.task, day, settings.training.candidates)


def training_pairs(
    sessions: DataFrame,
    versions: DataFrame,
    end: datetime,
    settings: Settings,
    scenario: Scenario,
    embed: Embed,
    space: str,
) -> tuple[DataFrame, DataFrame]:
    """TRAINING_PAIRS and TRAINING_ITEMS rows of SESSIONS rows before `end` and ITEMS rows of any time.

    `space` is what `embed` maps to. Raises BadInput where nothing happened before a cut.
    """
    sessions, versions = settled(sessions), settled(versions)
    periods = split_periods(end, settings, scenario)
    whole = settled(baskets(sessions, min(period.start for period in periods)))
    pairs, items = [], []
    for cut, of_cut in by_cut(periods):
        past = sessions.where(F.col("ts") < F.lit(cut))
        seen = settled(with_vectors(item_features(versions, past, cut), scenario.text.item, embed, space))
        users = user_features(past, seen, cut, settings.night.history_length)
        drawn = [queries(whole, p.task, p.split, p.start, p.end, cut, p.limit, settings.night.seed) for p in of_cut]
        asked = settled(reduce(DataFrame.unionByName, drawn).join(users, "user_id", "left"))
        inputs = Inputs.of(past, seen, cut, settings, scenario, embed)
        lists = candidate_lists(inputs, needed_lists(asked, seen))
        pairs.append(with_candidates(asked, lists, seen, settings.training.candidates, scenario.repeats))
        items.append(seen.withColumn("cut", F.lit(cut)))
    return (
        in_schema(reduce(DataFrame.unionByName, pairs), TRAINING_PAIRS),
        in_schema(reduce(DataFrame.unionByName, items), TRAINING_ITEMS),
    )


def training_history(sessions: DataFrame, end: datetime, training: Training) -> DataFrame:
    """TRAINING_HISTORY rows: the SESSIONS rows before the cut of the test period."""
    return in_schema(sessions.where(F.col("ts") < F.lit(end - timedelta(days=training.test_days))), TRAINING_HISTORY)


def split_periods(end: datetime, settings: Settings, scenario: Scenario) -> list[Period]:
    """train, validation and test, back from `end`; test once for each task, train in a part for each cut."""
    training = settings.training
    test_start = end - timedelta(days=training.test_days)
    train_start = test_start - timedelta(days=training.train_days)
    validation_start = test_start - timedelta(days=training.train_days) * VALIDATION_SHARE
    cuts = _cuts(train_start, validation_start, training.cut_days)
    task, sample, tested = scenario.task, training.sample_queries, training.test_queries
    # As many as whoever reads them asks for at most: the baselines as many as are tested, the frontier its own number.
    validated = max(tested, training.validation_queries, settings.prune.validation_queries)
    tasks: tuple[Task, ...] = get_args(Task) if scenario.users else (task,)
    return [
        *(Period("train", task, cut, end, cut, sample) for cut, end in pairwise([*cuts, validation_start])),
        Period("validation", task, validation_start, test_start, cuts[-1], validated),
        *(Period("test", one, test_start, end, test_start, tested) for one in tasks),
    ]


def _cuts(start: datetime, end: datetime, days: int) -> list[datetime]:
    """`start`, and after it every `days` before `end`."""
    step = timedelta(days=days) if days else end - start
    return [start + step * n for n in range(-(-(end - start) // step))]


def by_cut(periods: Sequence[Period]) -> Iterator[tuple[datetime, list[Period]]]:
    """The periods that share a cut: their candidates are computed once."""
    for cut in sorted({period.cut for period in periods}):
        yield cut, [period for period in periods if period.cut == cut]


def report(pairs: DataFrame, task: Task, day: str, longest: int) -> None:
    """Prints the recall of each split and task; `longest`: how many candidates a list may have.

    Raises BadInput where train or test has no query of `task`.
    """
    rows = recall_table(pairs)
    for split in ("train", "test"):
        if (split, task) not in {(row.split, row.task) for row in rows}:
            wanted = "session of two items" if task == "basket" else "user's visit"
            raise BadInput(
                f"training_pairs {day}: no {wanted} lies in the {split} period: import more events, or "
                "change PACE_TRAINING__TRAIN_DAYS and PACE_TRAINING__TEST_DAYS"
            )
    for row in rows:
        print(f"training_pairs {day}: {row.told(longest)}")
