"""Makes the item states of a model: of every text of a day's catalogue that it has not read before."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from contract.errors import ArtifactMismatch, BadInput
from contract.keys import Keys
from contract.records import ItemRecord
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.pointer import read_pointer
from jobs.arguments import job_parser
from jobs.item_rows import as_item, item_columns
from jobs.lake import Lake
from jobs.model.folders import ModelFolders
from jobs.parquet import open_day
from jobs.serving.encode_on_spark import encode_on_spark
from jobs.serving.state_table import StateTable, remove_tables
from reranker.item_coding import ItemCoder, ItemTexts, Texts

LIVE, EVALUATED = "live", "evaluated"
ROWS_PER_BATCH = 2000


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("encode_items", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument(
        "--version",
        default=LIVE,
        help=f"the model: a version, `{LIVE}`, or `{EVALUATED}` for the newest evaluated one (%(default)s)",
    )
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput for a named model without item states, ArtifactMismatch for a damaged one."""
    lake, folders = Lake(args.lake), ModelFolders(args.models)
    version = chosen(args.version, folders, settings)
    if not version:
        print("no model is live: there are no item states to make")
        return
    day, started = lake.resolve(args.date, "item_features"), time.monotonic()
    try:
        made, known = encode_items(lake, day, folders.student(version), settings)
    except (BadInput, ArtifactMismatch) as error:
        if args.version != LIVE:
            raise
        # The night goes on to publish: the ranker, if it can serve that model at all, reads texts on the spot.
        print(f"no item states of {day} by the live model {version}: {error}")
        return
    removed = remove_tables(lake, set(folders.versions()))
    print(
        f"item states of {day} by model {version}: {made} texts read in {time.monotonic() - started:.1f} s, "
        f"{known} known before; removed those of models that are gone: {', '.join(removed) or 'none'}"
    )


def chosen(asked: str, folders: ModelFolders, settings: Settings) -> str:
    """The version meant; "" for the live one where none is."""
    if asked == EVALUATED:
        return folders.newest_evaluated()
    if asked != LIVE:
        return asked
    redis = settings.redis
    return read_pointer(connect(redis.url, redis.publish_timeout_seconds, redis.cluster), Keys(redis.prefix)).model


def encode_items(lake: Lake, day: str, directory: Path, settings: Settings) -> tuple[int, int]:
    """Read what is new of the catalogue of `day` by the model in `directory`; returns texts read, and known before."""
    reads = ItemTexts(directory)
    table, texts = StateTable(lake, reads.version), catalogue_texts(lake, day, reads)
    known = table.keys()
    new: Texts = {key: ids for key, ids in texts.items() if key not in known}
    if len(new) >= settings.night.spark_texts:
        made = encode_on_spark(lake, day, directory, new, table, settings)
    elif new:
        training = settings.training
        made = table.add(ItemCoder(directory, training.device, training.threads).coded(new), day)
    else:
        made = 0
    return made, len(texts) - len(new)


def catalogue_texts(lake: Lake, day: str, reads: ItemTexts) -> Texts:
    """What a model reads of the catalogue of `day`; equal texts are one."""
    return reads.of(catalogue(lake, day))


def catalogue(lake: Lake, day: str) -> Iterator[ItemRecord]:
    """The items of a day, in no order."""
    for batch in open_day(lake, "item_features", day).to_batches(batch_size=ROWS_PER_BATCH):
        for row in batch.select(item_columns(batch.schema.names)).to_pylist():
            yield as_item(row)
