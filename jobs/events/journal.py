"""All of an import or nothing of it: files are staged, written down in a journal, and then moved into the tables.

Tables only ever gain files, each by one rename, so that what was there stays readable and complete all
along. A kill before the journal is whole leaves the tables as they were; after it, the next import
finishes the moves first. On object stores a rename is a copy and a delete: a reader still sees a file
whole or not at all.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from upath import UPath

from contract.errors import BadInput
from jobs.events.ledger import FOLDER, Entry
from jobs.lake import STAGING, Lake

_PREFIX = "import-"
JOURNAL = "journal.json"


class Journal(msgspec.Struct, frozen=True):
    """`moves`: (from, to), `removals`: files; all relative to the lake."""

    moves: list[tuple[str, str]]
    removals: list[str]
    entries: list[Entry]


def staging_folder(lake: Lake, name: str) -> UPath:
    return lake.folder / STAGING / f"{_PREFIX}{name}"


@contextmanager
def only_import(lake: Lake) -> Iterator[None]:
    """Hold the lake's import lock; what a killed import left is finished or dropped first.

    Raises BadInput while another import runs. The lock is a file lock, gone with its process; it is taken on
    a local lake only: elsewhere the caller sees to one import at a time (the DAG does).
    """
    folder = lake.folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    if folder.protocol not in ("", "file", "local"):
        _recover(lake)
        yield
        return
    with open((folder / "lock").path, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput(
                f"{lake.root}: another import is running on this lake; start this one when it is done"
            ) from error
        _recover(lake)
        yield


def commit(lake: Lake, staging: UPath, journal: Journal) -> None:
    """Make the staged files part of the tables; once the journal is written there is no way back."""
    draft = staging / f"{JOURNAL}.draft"
    draft.write_bytes(msgspec.json.encode(journal))
    _move(draft, staging / JOURNAL)
    _apply(lake, staging, journal)


def drop(staging: UPath) -> None:
    if staging.exists():
        staging.fs.rm(staging.path, recursive=True)


def _recover(lake: Lake) -> None:
    root = lake.folder / STAGING
    for staging in list(root.iterdir()) if root.exists() else []:
        if not staging.name.startswith(_PREFIX):
            continue
        if (staging / JOURNAL).exists():
            _apply(lake, staging, msgspec.json.decode((staging / JOURNAL).read_bytes(), type=Journal))
        else:
            drop(staging)


def _apply(lake: Lake, staging: UPath, journal: Journal) -> None:
    made: set[str] = set()
    for source, target in journal.moves:
        if (lake.folder / source).exists():  # else it was moved before the kill
            folder = (lake.folder / target).parent
            if folder.path not in made:
                folder.mkdir(parents=True, exist_ok=True)
                made.add(folder.path)
            _move(lake.folder / source, lake.folder / target)
    for name in journal.removals:
        if (lake.folder / name).exists():
            lake.folder.fs.rm((lake.folder / name).path)
    for entry in journal.entries:
        (lake.folder / entry.path).write_bytes(msgspec.json.encode(entry))
    drop(staging)


def _move(source: UPath, target: UPath) -> Any:
    return source.fs.mv(source.path, target.path)
