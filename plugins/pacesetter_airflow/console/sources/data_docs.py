"""The Data Docs site: whether it is there, and which of its pages a run of a DAG made."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

INDEX = "index.html"
_TIME = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class Validation:
    """One run of a suite: `page` is its path in the site."""

    suite: str
    night: str
    at: datetime
    page: str


@dataclass(frozen=True)
class Site:
    """`there` is False before the first validation. Validations are in the order of their times."""

    there: bool
    validations: tuple[Validation, ...]


def read_site(folder: Path) -> Site:
    """Pages lie at validations/SUITE/NIGHT/TIME/SUITE.html; others are not looked at. Raises OSError."""
    found = []
    for page in (folder / "validations").glob("*/*/*/*.html"):
        suite, night, time, _ = page.relative_to(folder / "validations").parts
        try:
            at = datetime.strptime(time, _TIME).replace(tzinfo=UTC)
            str(page).encode()  # a name that is no text has no address
        except ValueError:
            continue
        found.append(Validation(suite, night, at, page.relative_to(folder).as_posix()))
    return Site((folder / INDEX).is_file(), tuple(sorted(found, key=lambda one: (one.at, one.suite))))
