"""Compares the newest day with the one that the live model was trained for, and says whether to train again."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec
import numpy as np

from contract.errors import BadInput, StoreUnreachable
from contract.keys import Keys
from contract.scenario import read_scenario
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.pointer import read_pointer
from jobs.arguments import job_parser
from jobs.drift.days import LakeDay, feature_columns
from jobs.drift.decision import Decision, decide
from jobs.drift.distances import Values
from jobs.drift.record import Record, last_set_off, signals_table, write_record
from jobs.drift.signals import Signal, of_columns, of_share, of_values
from jobs.drift.turnover import new_share, unknown_share
from jobs.lake import Lake
from jobs.model.dataset import Query
from jobs.model.folders import ModelFolders
from jobs.model.rankers import scored
from jobs.parquet import open_day
from reranker.loading import load_reranker
from reranker.scoring import Reranker


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("drift", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument("--version", default="", help="the model (the live one; the newest where none is)")
    parser.add_argument("--decision", help="file that gets whether to train again, as JSON")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput for a day that has no features, ArtifactMismatch for a damaged model."""
    lake, folders, now = Lake(args.lake), ModelFolders(args.models), time.time()
    day = lake.resolve(args.date, "item_features")
    set_off_at = last_set_off(folders.drift)
    directory = _model(folders, args.version or _live(settings))
    if directory is None:
        signals: tuple[Signal, ...] = ()
        version = model_date = ""
        decision = Decision(False, "there is no model yet; reranker_weekly trains the first")
    else:
        training = settings.training
        model = load_reranker(directory, training.device, training.threads)
        version, model_date = model.version, model.manifest.date
        signals = compare(lake, model, day, settings)
        days = settings.drift.min_days_between
        decision = decide(signals, folders.newest_created_at(), set_off_at, now, days)
    record = Record(
        version=version,
        model_date=model_date,
        date=day,
        created_at=now,
        signals=signals,
        decision=decision,
        set_off_at=now if decision.retrain else set_off_at,
    )
    path = write_record(folders.drift, record)
    if args.decision:
        Path(args.decision).parent.mkdir(parents=True, exist_ok=True)
        Path(args.decision).write_bytes(msgspec.json.encode(decision) + b"\n")
    for row in signals_table(record)[1]:
        print("drift: " + "  ".join((f"{row[1]:8}", f"{row[0]:32}", row[2], f"(at most {row[3]})", row[4])))
    print(f"drift {day}: {'train again' if decision.retrain else 'no training'}: {decision.why}; {path}")


def compare(lake: Lake, model: Reranker, day: str, settings: Settings) -> tuple[Signal, ...]:
    """Every signal of `day` against the day of the model. Raises BadInput where `day` has no features."""
    bounds, seed = settings.drift, settings.night.seed
    before, now = LakeDay(lake, model.manifest.date), LakeDay(lake, day)
    if now.table("item_features") is None:
        raise BadInput(f"{lake.path('item_features', day)} does not exist: run `python -m jobs features --date {day}`")
    absent = f"a table of {before.day} or {day} is not in the lake: `python -m jobs features` writes it for a --date"
    candidates = settings.gateway.rerank_depth
    asked = [one.requests(bounds.sample_queries, seed, candidates) for one in (before, now)]
    lists = f"candidates or features of {before.day} or {day} are not in the lake"
    old, new = before.available_items(), now.available_items()
    known = _known_items(lake, before)
    shares = {
        "items that are new": (_share_of_both(old, new), bounds.new_items_max),
        "items that are gone": (_share_of_both(new, old), bounds.gone_items_max),
        "positive events on unknown items": (
            _unknown(lake, before.day, day, read_scenario(settings.night.scenario).positive.types, known),
            bounds.unknown_events_max,
        ),
        "impressions of unknown items": (
            _unknown(lake, before.day, day, ("impression",), known),
            bounds.unknown_events_max,
        ),
    }
    return (
        of_columns("item features", before.columns("item_features"), now.columns("item_features"), bounds, absent),
        of_columns("user features", before.columns("user_features"), now.columns("user_features"), bounds, absent),
        of_columns("features of candidates", feature_columns(asked[0]), feature_columns(asked[1]), bounds, lists),
        of_values("scores", *(_scores(one, model, candidates) for one in asked), bounds, lists),
        *(
            of_share(name, share, most, f"since {before.day}" if share is not None else "there is nothing to count")
            for name, (share, most) in shares.items()
        ),
    )


def _share_of_both(one: list[str] | None, other: list[str] | None) -> float | None:
    return new_share(one, other) if one is not None and other is not None else None


def _unknown(lake: Lake, after: str, until: str, types: tuple[str, ...], known: set[str] | None) -> float | None:
    return None if known is None else unknown_share(lake, after, until, types, known)


def _known_items(lake: Lake, before: LakeDay) -> set[str] | None:
    """The items that the training pairs of the model's day knew; those of its features where these are gone."""
    for table in ("training_items", "item_features"):
        if before.day in lake.days(table):
            return set(open_day(lake, table, before.day).to_table(["item_id"])["item_id"].to_pylist())
    return None


def _scores(requests: list[Query] | None, model: Reranker, depth: int) -> Values | None:
    if not requests:
        return None
    return np.concatenate(list(scored(requests, model, depth, "requests").final.values())).astype(np.float64)


def _live(settings: Settings) -> str:
    """The version that the pointer names; empty where no model is live, or where Redis cannot say."""
    redis = settings.redis
    try:
        return read_pointer(connect(redis.url, redis.publish_timeout_seconds, redis.cluster), Keys(redis.prefix)).model
    except StoreUnreachable as error:
        print(f"drift: {error}; the newest model is taken for the live one")
        return ""


def _model(folders: ModelFolders, version: str) -> Path | None:
    if version:
        return folders.student(version)
    try:
        return folders.student("")
    except BadInput:
        return None
