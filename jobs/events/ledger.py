"""What was imported already: `<lake>/_imports/<table>-<digest>.json`, one entry for each content of a file."""

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath

import msgspec

from contract.errors import BadInput
from jobs.events.files import InputFile, Table
from jobs.lake import Lake

FOLDER = "_imports"


class Entry(msgspec.Struct, frozen=True):
    """One imported file. `quarantine`: where its rows set aside lie, relative to the lake.

    `waits_for`: the stamp of the catalogue that lacked an item of this file, or None.
    """

    table: Table
    digest: str
    file: str
    rows: int
    added: int
    reasons: dict[str, int]
    quarantine: tuple[str, ...]
    waits_for: str | None
    imported_at: str

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.table}-{self.digest}.json"


def find_entry(lake: Lake, table: Table, digest: str) -> Entry | None:
    """Raises BadInput for an entry that does not decode."""
    path = lake.folder / FOLDER / f"{table}-{digest}.json"
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Entry)
    except msgspec.DecodeError as error:
        raise BadInput(f"{path}: damaged ({error}): delete it, and the file it stands for is read again") from error


def open_files(lake: Lake, files: Iterable[InputFile]) -> list[InputFile]:
    """The files that may have something to give: new ones, and events that wait for items where items come in.

    Of two files of the same content the first is taken. A table that was taken away has no entries.
    """
    unique = list({(file.table, file.digest): file for file in reversed(list(files))}.values())[::-1]
    catalogue = catalogue_stamp(catalogue_files(lake))
    items = [file for file in unique if file.table == "items" and not _is_settled(lake, file, catalogue)]
    events = [
        file
        for file in unique
        if file.table == "events" and not _is_settled(lake, file, "about to change" if items else catalogue)
    ]
    return items + events


def catalogue_files(lake: Lake) -> list[str]:
    """The files of the items table, relative to the lake."""
    folder = lake.folder / "items"
    days = [f"items/day={day}" for day in lake.days("items")]
    return [f"{day}/{file.name}" for day in days for file in (folder / PurePosixPath(day).name).iterdir()]


def catalogue_stamp(files: Iterable[str]) -> str:
    """Changes with every item that comes in, because every import brings files of new names."""
    data = sorted(name for name in files if name.endswith(".parquet"))
    return hashlib.blake2b("\n".join(data).encode(), digest_size=16).hexdigest()


def _is_settled(lake: Lake, file: InputFile, catalogue: str) -> bool:
    entry = find_entry(lake, file.table, file.digest)
    if entry is None or not lake.days(file.table):
        return False
    return entry.waits_for is None or entry.waits_for == catalogue
