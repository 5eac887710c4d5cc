"""Verb `candidate_recall`: recall of the candidates by source, what each source adds, and weights that find more."""

import json
from argparse import ArgumentParser, Namespace
from functools import reduce
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from contract.codec import CandidateList
from contract.merge import never_proposed
from contract.scenario import Scenario, read_scenario
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.candidates.inputs import Inputs
from jobs.candidates.lists import ragged
from jobs.candidates.sources import weighted_sources
from jobs.features.days import end_of
from jobs.features.embeddings import TextEmbeddings
from jobs.features.history import item_versions, sessions_until
from jobs.features.items import item_features
from jobs.features.users import user_features
from jobs.lake import Lake
from jobs.model.pairs import by_cut, split_periods
from jobs.model.queries import baskets, queries
from jobs.model.query_candidates import needed_lists, roles
from jobs.model.source_recall import Asked, Key, SourceLists, Weights, combinations, recall, tuned
from jobs.spark import settled, spark_session

PLACES = (100, 200)
ROUNDS = 3

# (split, task)
Part = tuple[str, str]


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("candidate_recall", __doc__ or "", settings)
    parser.add_argument("--tune", action="store_true", help="search weights on the validation period; takes minutes")
    parser.add_argument("--json", default="", help="also write the figures to this file")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput as `training_pairs` does."""
    lake, scenario = Lake(args.lake), read_scenario(settings.night.scenario)
    day = lake.resolve(args.date)
    parts = collected(lake, day, settings, scenario)
    sources = weighted_sources(settings.candidates.quotas, scenario.repeats)
    weights: Weights = {source.name: weight for source, weight in sources}
    console = Console(width=120)
    if args.tune:
        asked, lists = parts["validation", scenario.task]
        weights = tuned(asked, lists, weights, PLACES[0], ROUNDS, console.print)
        console.print(f"PACE_CANDIDATES__QUOTAS='{json.dumps(weights)}'")
    figures = {
        f"{split} {task}": {name: recall(asked, lists, chosen, PLACES) for name, chosen in combinations(weights)}
        for (split, task), (asked, lists) in parts.items()
    }
    for part, (asked, _) in parts.items():
        console.print(_table(" ".join(part), len(asked), figures[" ".join(part)]))
    found = {"date": day, "weights": dict(weights), "recall": figures}
    if args.json:
        Path(args.json).write_text(json.dumps(found, indent=2) + "\n")


def collected(
    lake: Lake, day: str, settings: Settings, scenario: Scenario
) -> dict[Part, tuple[list[Asked], SourceLists]]:
    """The queries of the validation and the test period, with every source's lists as of their cut."""
    spark = spark_session("candidate_recall")
    sessions, versions = settled(sessions_until(spark, lake, day, scenario)), settled(item_versions(spark, lake))
    embed = TextEmbeddings.of_base_model(spark, lake, day, settings.training)
    periods = [one for one in split_periods(end_of(day), settings, scenario) if one.split != "train"]
    whole = settled(baskets(sessions, min(period.start for period in periods)))
    out = {}
    for cut, of_cut in by_cut(periods):
        past = sessions.where(F.col("ts") < F.lit(cut))
        seen = settled(item_features(versions, past, cut))
        users = user_features(past, seen, cut, settings.night.history_length)
        drawn = [queries(whole, p.task, p.split, p.start, p.end, cut, p.limit, settings.night.seed) for p in of_cut]
        asked = settled(reduce(DataFrame.unionByName, drawn).join(users, "user_id", "left"))
        lists = source_lists(Inputs.of(past, seen, cut, settings, scenario, embed), needed_lists(asked, seen))
        rows = (
            roles(asked, seen)
            .groupBy("query_id", "split", "task")
            .agg(F.sort_array(F.collect_list(F.struct("place", "kind", "key"))).alias("lists"))
        )
        whose = ["query_id", "split", "task"]
        found = asked.select(*whose, "context", "history", "labels").join(rows, whose)
        for row in sorted(found.collect(), key=lambda row: row["query_id"]):
            part = out.setdefault((row["split"], row["task"]), ([], lists))
            keys = tuple((one["kind"], one["key"]) for one in row["lists"])
            hidden = never_proposed(row["context"], row["history"] or (), scenario.repeats)
            part[0].append(Asked(hidden, frozenset(row["labels"]), keys))
    return out


def source_lists(inputs: Inputs, wanted: DataFrame) -> SourceLists:
    """Every source's lists of the `wanted` keys, in memory, without items that are not available."""
    chosen = [source for source, _ in weighted_sources(inputs.settings.candidates.quotas, inputs.repeats)]
    ids, available = np.array(inputs.catalogue.ids, object), inputs.catalogue.available
    of: dict[Key, dict[str, CandidateList]] = {}
    for column, source in enumerate(chosen):
        table = source.lists(inputs).join(F.broadcast(wanted), ["kind", "key"], "left_semi").toArrow().combine_chunks()
        for batch in table.to_batches():
            rows = zip(
                batch["kind"].to_pylist(), batch["key"].to_pylist(), ragged(batch["items"]), ragged(batch["scores"]),
                strict=True,
            )  # fmt: skip
            for kind, key, items, own in rows:
                kept = available[items]
                scores = np.zeros((int(kept.sum()), len(chosen)), np.float32)
                scores[:, column] = own[kept]
                listed = CandidateList(tuple(ids[items[kept]]), np.full(len(scores), column, np.uint8), scores)
                of.setdefault((kind, key), {})[source.name] = listed
    return SourceLists(tuple(source.name for source in chosen), of, inputs.length)


def _table(part: str, count: int, figures: dict[str, dict[int, float]]) -> Table:
    table = Table(title=f"{part}: {count} queries")
    for heading in ("candidates of", *(f"recall@{place}" for place in PLACES)):
        table.add_column(heading)
    for name, row in figures.items():
        table.add_row(name, *(f"{row[place]:.4f}" for place in PLACES))
    return table
