"""Makes a model live that the gate admitted, together with a fresh generation, in one move of the pointer."""

from argparse import ArgumentParser, Namespace
from typing import Any

from contract.keys import Keys
from contract.records import Pointer
from contract.scenario import read_scenario
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.pointer import Promotion, read_pointer
from contract.store.publisher import Publisher, set_model
from contract.store.reader import Reader
from jobs.arguments import job_parser, reason
from jobs.lake import Lake
from jobs.model.folders import ModelFolders
from jobs.model.promotion import demand_admission, keep_promotion
from jobs.model.registry import follow_pointer
from jobs.serving.publish import publish, publishable_day
from jobs.serving.states import published_states
from jobs.vector_space import demand_space
from reranker.artifact import read_artifact
from reranker.manifest import Manifest


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("promote", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", default="", help="the model (the newest evaluated)")
    which.add_argument("--none", action="store_true", help="withdraw the live model: answers keep the candidate order")
    parser.add_argument(
        "--force", metavar="REASON", type=reason, help="without the gate's word; the reason is recorded"
    )
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises GateRefused, ArtifactMismatch for a damaged model, PublishRefused where another promotion came first."""
    redis, folders = settings.redis, ModelFolders(args.models)
    client, keys = connect(redis.url, redis.publish_timeout_seconds, redis.cluster), Keys(redis.prefix)
    if args.none:
        pointer = set_model(client, keys, "")
        print(f"no model is live; before it: {pointer.previous_model or 'none'}")
        follow_pointer(settings, folders, pointer, report=args.report)
        return
    version = args.version or folders.newest_evaluated()
    manifest = read_artifact(folders.student(version)).manifest
    pointer = read_pointer(client, keys)
    if pointer.model == version:  # a second run of the same promotion must not lose the model before
        print(f"model {version} is live already")
    else:
        if not args.force:
            demand_admission(folders, manifest, pointer.model)
        promotion = Promotion(version, pointer.model)
        pointer = go_live(client, keys, Lake(args.lake), folders, manifest, promotion, settings)
        keep_promotion(folders.promotion(version), manifest, pointer, args.force or "")
        print(f"model {version} is live; generation {pointer.generation}", end="; ")
    removed = folders.tidy(settings.training.kept_models, {pointer.model, pointer.previous_model})
    print(f"before it: {pointer.previous_model or 'none'}; removed: {removed or 'none'}")
    follow_pointer(settings, folders, pointer, removed, args.report)


def go_live(
    client: Any,
    keys: Keys,
    lake: Lake,
    folders: ModelFolders,
    manifest: Manifest,
    promotion: Promotion,
    settings: Settings,
) -> Pointer:
    """With the newest candidates as a new generation; alone where the lake has none, or a later day is live.

    So features and model are of one feature view and base model from the first request on. Raises BadInput where
    the day's vectors are of another base model, PublishRefused, StoreUnreachable.
    """
    day = publishable_day(lake, Reader(client, keys))
    if day is None:
        return set_model(client, keys, promotion.model, promotion.replacing)
    demand_space(lake, "item_features", day, manifest)
    redis = settings.redis
    publisher = Publisher(client, keys, redis.staging_ttl_seconds, redis.retired_ttl_seconds)
    states = published_states(lake, day, folders, promotion.model)
    _, pointer = publish(publisher, lake, day, read_scenario(settings.night.scenario).repeats, promotion, states)
    return pointer
