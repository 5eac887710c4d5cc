"""The night's import: the adapter that the settings name, and then the files that they name."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from importlib import import_module

from contract.errors import BadInput
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.events.files import find_files
from jobs.events.load import import_files
from jobs.lake import Lake

# An adapter is a module with `run(lake, now, max_bad_share) -> lines to tell`.
ADAPTERS = {"online_retail": "jobs.events.online_retail"}


def arg_parser(settings: Settings) -> ArgumentParser:
    return job_parser("import_night", __doc__ or "", settings)


def main(args: Namespace, settings: Settings) -> None:
    source, lake, now = settings.source, Lake(args.lake), datetime.now(UTC)
    if source.adapter and source.adapter not in ADAPTERS:
        raise BadInput(f"PACE_SOURCE__ADAPTER {source.adapter!r}: known are {', '.join(ADAPTERS)}, or empty for none")
    lines: list[str] = []
    if source.adapter:
        lines += import_module(ADAPTERS[source.adapter]).run(lake, now, source.max_bad_share)
    files = [*(find_files("items", source.items) if source.items else ())]
    files += find_files("events", source.events) if source.events else ()
    if files:
        lines += import_files(lake, files, now, source.max_bad_share)
    if not lines:
        if not lake.days("events"):
            raise BadInput(
                f"{lake.root} holds no event and there is nothing to import: set PACE_SOURCE__ADAPTER, or "
                "PACE_SOURCE__EVENTS and PACE_SOURCE__ITEMS, or run `python -m jobs import_events` once"
            )
        lines = ["nothing to import: no source is set; the lake stays as it is"]
    print("\n".join(lines))
