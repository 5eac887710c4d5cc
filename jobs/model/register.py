"""Brings every model's files into the registry, and its aliases up to the pointer: after the registry was away."""

from argparse import ArgumentParser, Namespace

from contract.errors import BadInput
from contract.keys import Keys
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.pointer import read_pointer
from jobs.arguments import job_parser
from jobs.model.folders import ModelFolders
from jobs.model.registry import follow_pointer, record_model


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("register", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput where the registry cannot be reached; StoreUnreachable."""
    redis, folders = settings.redis, ModelFolders(args.models)
    pointer = read_pointer(connect(redis.url, redis.publish_timeout_seconds, redis.cluster), Keys(redis.prefix))
    versions = folders.versions()
    for version in versions:
        if not record_model(settings, folders, version):
            raise BadInput("the registry was not reached, or is turned off (PACE_REGISTRY__TRACKING_URI)")
    follow_pointer(settings, folders, pointer)
    print(f"registered {', '.join(versions) or 'nothing: there is no model'}; live: {pointer.model or 'none'}")
