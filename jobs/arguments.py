"""The arguments that every verb shares."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date

from contract.errors import BadInput
from contract.settings import Settings


def checked_day(text: str) -> str:
    """A date as YYYY-MM-DD. Raises BadInput."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise BadInput(f"--date {text!r}: give YYYY-MM-DD or latest") from error


def count(text: str) -> int:
    """A number of things: 1 or more. Raises ArgumentTypeError, which argparse shows with the argument's name."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r}: give a whole number, 1 or more")
    return int(text)


def reason(text: str) -> str:
    """Some words. Raises ArgumentTypeError for none."""
    if not text.strip():
        raise ArgumentTypeError("give the reason, in a few words")
    return text


def job_parser(verb: str, description: str, settings: Settings) -> ArgumentParser:
    """A parser with --lake, --date and --report, whose defaults are the settings."""
    parser = ArgumentParser(prog=f"python -m jobs {verb}", description=description)
    parser.add_argument("--lake", default=settings.night.lake, help="path or URL of the lake (%(default)s)")
    parser.add_argument("--date", default=settings.night.date, help="YYYY-MM-DD, or latest (%(default)s)")
    parser.add_argument("--report", help="file that gets the reason if the job fails")
    return parser
