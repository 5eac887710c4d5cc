"""Imports items and events, Parquet or JSON lines, into the lake: what is there already stays as it is.

Files are recognised by their content and rows by their id (events: event_id; items: item_id and updated_at),
so that the same file twice changes nothing. A row that does not hold is set aside in the table `quarantine`
with its reason; a file that does not hold is refused, and then the tables stay as they were.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from contract.errors import BadInput
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.events.files import InputFile, find_files
from jobs.events.journal import JOURNAL, commit, drop, only_import, staging_folder
from jobs.events.ledger import open_files
from jobs.events.merge import merge_staged
from jobs.events.staging import Tally, stage_file
from jobs.lake import Lake


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("import_events", __doc__ or "", settings)
    parser.add_argument("--events", default="", help="file or folder of events: .parquet, .jsonl, .ndjson, .json (.gz)")
    parser.add_argument("--items", default="", help="file or folder of items")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    if not (args.events or args.items):
        raise BadInput("nothing to import: give --events, --items, or both")
    files = [*(find_files("items", args.items) if args.items else ())]
    files += find_files("events", args.events) if args.events else ()
    for line in import_files(Lake(args.lake), files, datetime.now(UTC), settings.source.max_bad_share):
        print(line)


def import_files(lake: Lake, files: Sequence[InputFile], now: datetime, max_bad_share: float) -> list[str]:
    """Import what is new in `files`, all or nothing; returns what to tell, a line a file.

    Raises BadInput for a file that is refused, or while another import runs on this lake.
    """
    with only_import(lake):
        wanted = open_files(lake, files)
        tallies = _load(lake, wanted, now, max_bad_share) if wanted else []
    seen = [file for file in files if file not in wanted]
    return [*map(str, tallies), *(f"{file.table} {file.name}: imported before, nothing to do" for file in seen)]


def _load(lake: Lake, files: Sequence[InputFile], now: datetime, max_bad_share: float) -> list[Tally]:
    staging = staging_folder(lake, uuid4().hex)
    try:
        tallies = [stage_file(file, place, staging, now) for place, file in enumerate(files)]
        for tally in tallies:
            tally.refuse_if_bad(max_bad_share)
        for table in ("items", "events"):
            mine = [tally for tally in tallies if tally.file.table == table]
            if mine and not any(tally.rows for tally in mine):
                raise BadInput(f"{mine[0].file.name}: no row of {table} in it: nothing was imported")
        journal = merge_staged(lake, staging, tallies, now, max_bad_share)
        commit(lake, staging, journal)
    finally:
        # With its journal in place the import is finished by the next one; without it, it never was.
        if not (staging / JOURNAL).exists():
            drop(staging)
    return tallies
