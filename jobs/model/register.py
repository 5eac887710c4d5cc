"""Brings every model's files into the registry, and its aliases up to the pointer: after the registry was away."""

from argparse import ArgumentParser, Namespace

from contract.errors import ArtifactMismatch, BadInput
from contract.keys import Keys
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.pointer import read_pointer
from jobs.arguments import job_parser
from jobs.model.folders import ModelFolders
from jobs.model.registry import follow_pointer, record_model
from reranker.manifest import read_manifest


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("register", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput where the registry cannot be reached, ArtifactMismatch for damaged models; StoreUnreachable."""
    redis, folders = settings.redis, ModelFolders(args.models)
    pointer = read_pointer(connect(redis.url, redis.publish_timeout_seconds, redis.cluster), Keys(redis.prefix))
    versions = folders.versions()
    damaged = {version: found for version in versions if (found := _damage(folders, version))}
    whole = [version for version in versions if version not in damaged]
    for version in whole:
        if not record_model(settings, folders, version):
            raise BadInput("the registry was not reached, or is turned off (PACE_REGISTRY__TRACKING_URI)")
    follow_pointer(settings, folders, pointer)
    print(f"registered {', '.join(whole) or 'nothing: there is no model'}; live: {pointer.model or 'none'}")
    if damaged:
        raise ArtifactMismatch(f"left out, the others are registered: {'; '.join(damaged.values())}")


def _damage(folders: ModelFolders, version: str) -> str:
    """What is wrong with the manifest of a model; nothing where it is whole."""
    directory = folders.directory(version)
    try:
        if directory:
            read_manifest(directory)
    except ArtifactMismatch as error:
        return str(error)
    return ""
