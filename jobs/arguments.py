"""The arguments that every verb shares."""

from argparse import ArgumentParser

from contract.settings import Settings


def job_parser(verb: str, description: str, settings: Settings) -> ArgumentParser:
    """A parser with --lake, --date and --report, whose defaults are the settings."""
    parser = ArgumentParser(prog=f"python -m jobs {verb}", description=description)
    parser.add_argument("--lake", default=settings.night.lake, help="path or URL of the lake (%(default)s)")
    parser.add_argument("--date", default=settings.night.date, help="YYYY-MM-DD, or latest (%(default)s)")
    parser.add_argument("--report", help="file that gets the reason if the job fails")
    return parser
