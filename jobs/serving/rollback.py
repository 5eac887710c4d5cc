"""Flips back to the generation before (or, with --model, to the model before); a second call flips forward again."""

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
    parser.add_argument("--model", action="store_true", help="roll back the model instead of the generation")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    redis = settings.redis
    client = connect(redis.url, redis.publish_timeout_seconds, redis.cluster)
    keys = Keys(redis.prefix)
    if args.model:
        seen = read_pointer(client, keys)
        if not seen.previous_model:
            raise BadInput(
                f"there is no model before {seen.model}; `python -m jobs promote --none` withdraws the live one"
                if seen.model
                else "there is no model to go back to: none is live, and none was"
            )
        pointer = set_model(client, keys, seen.previous_model)
    else:
        pointer = roll_back(client, keys)
    print(f"live: generation {pointer.generation}, model {pointer.model or 'none'}")
