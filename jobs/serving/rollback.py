"""Flips back to the generation before, or to the model before; a second call flips forward again."""

from argparse import ArgumentParser, Namespace

from contract.errors import BadInput
from contract.keys import Keys
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.pointer import read_pointer
from contract.store.publisher import roll_back, set_model
from jobs.arguments import job_parser


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("rollback", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument(
        "what", nargs="?", choices=("generation", "model"), default="generation", help="which goes back (%(default)s)"
    )
    parser.add_argument("--model", action="store_true", help="the same as `model`")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput, NoGeneration where there is nothing to go back to, PublishRefused."""
    what = "model" if args.model else args.what
    redis = settings.redis
    client = connect(redis.url, redis.publish_timeout_seconds, redis.cluster)
    keys = Keys(redis.prefix)
    if what == "generation":
        pointer = roll_back(client, keys)
    else:
        seen = read_pointer(client, keys)
        if not seen.previous_model:
            raise BadInput(
                f"there is no model before {seen.model}; `python -m jobs promote --none` withdraws the live one"
                if seen.model
                else "there is no model to go back to: none is live, and none was"
            )
        pointer = set_model(client, keys, seen.previous_model, replacing=seen.model)
    print(f"live: generation {pointer.generation}, model {pointer.model or 'none'}", flush=True)
    if what == "model":
        from jobs.model.folders import ModelFolders  # the pointer has moved: only now what takes seconds to import
        from jobs.model.registry import follow_pointer

        follow_pointer(settings, ModelFolders(args.models), pointer, report=args.report)
