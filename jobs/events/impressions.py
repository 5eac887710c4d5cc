"""Brings the slates that the gateway showed into `events`: a row of type impression a shown item, from the events
instance's stream.

It reads on from where the last run ended. The rows are imported as a file's are: checked, all or nothing, and those
that the lake has change nothing. An entry of the stream that does not decode goes to the quarantine.
"""

import tempfile
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from upath import UPath

from contract.errors import StoreUnreachable
from contract.keys import Keys
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.impressions import ImpressionLog
from jobs.arguments import job_parser
from jobs.events.files import InputFile, content_digest
from jobs.events.load import import_files
from jobs.events.position import read_position, write_position
from jobs.events.slate_rows import Reading, write_rows
from jobs.events.staging import quarantined
from jobs.lake import Lake

# The stream is ours: a bad row says nothing against its neighbours, as it does in a file that somebody exports.
ANY_SHARE = 1.0
REASONS_TOLD = 5


def arg_parser(settings: Settings) -> ArgumentParser:
    return job_parser("import_impressions", __doc__ or "", settings)


def main(args: Namespace, settings: Settings) -> None:
    client = connect(settings.events.url, settings.redis.publish_timeout_seconds)
    stream = ImpressionLog(client, Keys(settings.redis.prefix), settings.events.stream_max_length)
    print("\n".join(import_impressions(Lake(args.lake), stream, datetime.now(UTC))))


def import_impressions(lake: Lake, stream: ImpressionLog, now: datetime) -> list[str]:
    """Import what the stream has that the lake has not; returns what to tell.

    Raises StoreUnreachable, BadInput while another import runs. The position moves last: after a failure or a kill the
    next run reads the same entries again.
    """
    after = read_position(lake)
    with tempfile.TemporaryDirectory() as folder:
        path = UPath(folder) / "impressions.parquet"
        try:
            lost = stream.has_lost(after)
            reading = write_rows(stream, after, path)
        except StoreUnreachable as error:
            raise StoreUnreachable(
                f"{error} Nothing was imported and nothing is lost: bring the events instance back at "
                "PACE_EVENTS__URL, and the next run goes on from here"
            ) from error
        if not reading.entries:
            return [f"{stream.name}: no new slate"]
        told = [_summary(stream, reading)]
        if lost:
            told.append(
                f"{stream.name}: the entry that was read last is gone, and perhaps some behind it, unread: import more "
                "often, or raise PACE_EVENTS__STREAM_MAX_LENGTH"
            )
        name = f"{stream.name} {after.decode()} to {reading.last.decode()}"
        file = InputFile("events", path, name, content_digest(path))
        if reading.rows:
            told += import_files(lake, [file], now, ANY_SHARE)
    if reading.damaged:
        lake.add_rows(quarantined(reading.damaged, file, now), "quarantine", f"{now:%Y-%m-%d}")
    write_position(lake, reading.last)
    return told


def _summary(stream: ImpressionLog, reading: Reading) -> str:
    why = ", ".join(f"{count} {reason}" for reason, count in reading.reasons.most_common(REASONS_TOLD))
    damaged = f", {reading.reasons.total()} damaged entries ({why})" if why else ""
    return f"{stream.name}: {reading.slates} slates of {reading.rows} items{damaged}"
