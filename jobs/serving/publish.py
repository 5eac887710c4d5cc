"""Writes one day's candidates and features to Redis as a new generation, verifies it, and flips the pointer."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from itertools import chain

from contract.errors import BadInput, CorruptValue, NoGeneration, PublishRefused
from contract.keys import Keys
from contract.records import GenerationMeta, Pointer
from contract.scenario import read_scenario
from contract.settings import Settings
from contract.states import StateBlock
from contract.store.connection import connect
from contract.store.pointer import Promotion
from contract.store.publisher import Publisher
from contract.store.reader import Reader
from jobs.arguments import job_parser
from jobs.lake import Lake
from jobs.model.folders import ModelFolders
from jobs.parquet import open_day
from jobs.serving.states import published_states
from jobs.serving.through import published_through
from jobs.serving.values import Scored, Value, candidate_values, item_values, user_values
from jobs.vector_space import vector_space

# A row of `candidates` holds up to 200 entries: this bounds the memory of a batch to some tens of MB.
ROWS_PER_BATCH = 2000
TABLES = ("item_features", "user_features", "candidates")


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("publish", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument("--older", action="store_true", help="publish even if a later day is live")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    lake = Lake(args.lake)
    day = lake.resolve(args.date, "candidates")
    redis = settings.redis
    client = connect(redis.url, redis.publish_timeout_seconds, redis.cluster)
    keys = Keys(redis.prefix)
    reader = Reader(client, keys)
    if not args.older:
        refuse_older(reader, day)
    refuse_other_space(reader, lake, day)
    publisher = Publisher(client, keys, redis.staging_ttl_seconds, redis.retired_ttl_seconds)
    started = time.monotonic()
    states = published_states(lake, day, ModelFolders(args.models), reader.pointer().model)
    meta, pointer = publish(publisher, lake, day, read_scenario(settings.night.scenario).repeats, states=states)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(meta.counts.items()))
    print(
        f"generation {meta.generation} of {day} is live after {time.monotonic() - started:.1f} s: {counts}; "
        f"before it: {pointer.previous or 'none'}; model: {pointer.model or 'none'}"
    )


def refuse_older(reader: Reader, day: str) -> None:
    """Raises PublishRefused where a generation of a later day is live: a backfill fills the lake, not the answers."""
    live = reader.pointer().generation
    if not live:
        return
    try:
        date = reader.meta(live).date
    except (NoGeneration, CorruptValue):  # what is live is of no use: any day is better
        return
    if day < date:
        raise PublishRefused(
            f"generation {live} of {date} is live, and {day} is older: it stays. If the older day is meant, run "
            f"`python -m jobs publish --date {day} --older`; `python -m jobs rollback` goes back a generation"
        )


def refuse_other_space(reader: Reader, lake: Lake, day: str) -> None:
    """Raises PublishRefused where the live model would be given item vectors of a base model that it does not know."""
    pointer = reader.pointer()
    if not (pointer.model and pointer.generation):
        return
    try:
        known = reader.meta(pointer.generation).vector_space
    except (NoGeneration, CorruptValue):
        return
    found = vector_space(lake, "item_features", day)
    if found != known:
        raise PublishRefused(
            f"{lake.path('item_features', day)}: item vectors of base model {found or 'unknown'}, but the live model "
            f"{pointer.model} is answering from those of {known or 'unknown'}: what is live stays. Train and promote a "
            "model on the new base (`python -m jobs promote` publishes both at once), or set PACE_TRAINING__BASE_MODEL "
            "back and run features and candidates again; `python -m jobs promote --none` withdraws the model"
        )


def publishable_day(lake: Lake, reader: Reader) -> str | None:
    """The newest day of candidates; None where there is none, or where it would replace a generation of a later day."""
    days = set.intersection(*(set(lake.days(table)) for table in TABLES))
    if not days:
        return None
    try:
        refuse_older(reader, max(days))
    except PublishRefused:
        return None
    return max(days)


def publish(
    publisher: Publisher,
    lake: Lake,
    day: str,
    repeats: bool,
    promotion: Promotion | None = None,
    states: Iterable[StateBlock] = (),
) -> tuple[GenerationMeta, Pointer]:
    """Publish the tables of `day`, and with them the model of `promotion`; what is live before stays until the flip.
    `repeats`: of the scenario; `states`: of the items' texts, by the model that is to be live then.

    Raises BadInput for a table that is missing or empty, PublishRefused, StoreUnreachable.
    """
    scored = _scored(lake, day)
    values = _values(lake, day, scored)
    generation = publisher.open()
    for kind, id, value in values:
        publisher.write(generation, kind, id, value)
    publisher.write_states(generation, states)
    meta = publisher.seal(
        generation,
        day,
        scored.sources,
        scored.weights,
        repeats,
        vector_space(lake, TABLES[0], day),
        through=published_through(lake, day),
    )
    return meta, publisher.flip(generation, promotion)


def _scored(lake: Lake, day: str) -> Scored:
    first = open_day(lake, "candidates", day).head(1, columns=["sources", "weights"])
    if not len(first):
        raise BadInput(f"{lake.path('candidates', day)} holds no list: an empty generation is not published")
    return Scored(tuple(first["sources"][0].as_py()), tuple(first["weights"][0].as_py()))


def _values(lake: Lake, day: str, scored: Scored) -> Iterator[Value]:
    items, users, lists = (open_day(lake, table, day) for table in TABLES)
    return chain(
        item_values(items.to_batches(batch_size=ROWS_PER_BATCH)),
        user_values(users.to_batches(batch_size=ROWS_PER_BATCH)),
        candidate_values(lists.to_batches(batch_size=ROWS_PER_BATCH), scored),
    )
