"""The files that users bring: found under a path or URL, named, and recognised by their content."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from upath import UPath

from contract.errors import BadInput

Table = Literal["items", "events"]
PARQUET = (".parquet", ".pq")
JSON_LINES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class InputFile:
    """One file of rows of one table. `name` is what people are told; `digest` stands for its content."""

    table: Table
    path: UPath
    name: str
    digest: str

    @property
    def is_parquet(self) -> bool:
        return self.path.name.lower().endswith(PARQUET)


def find_files(table: Table, where: str) -> list[InputFile]:
    """The file at `where`, or every one below that folder in the order of their paths.

    Names that start with `_` or `.` are not data (Spark's `_SUCCESS`). Raises BadInput where there is
    nothing to read, for a file of zero bytes, and for a file that is neither Parquet nor JSON lines.
    """
    root = UPath(where)
    if root.is_dir():
        found = sorted((path for path in _walk(root) if _is_known(path)), key=lambda path: path.path)
        if not found:
            raise BadInput(f"{where}: no {' or '.join((*PARQUET, *JSON_LINES))} file below this folder")
    elif root.is_file():
        if not _is_known(root):
            raise BadInput(f"{where}: name it {', '.join((*PARQUET, *JSON_LINES))}, so that its format is known")
        found = [root]
    else:
        raise BadInput(f"{where}: there is no such file or folder")
    return [_recognised(table, path) for path in found]


def content_digest(path: UPath, salt: str = "") -> str:
    """BLAKE2b of the bytes of a file: the same content under another name is the same file."""
    digest = hashlib.blake2b(salt.encode(), digest_size=16)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _recognised(table: Table, path: UPath) -> InputFile:
    try:
        if path.stat().st_size == 0:
            raise BadInput(f"{path}: the file is empty (0 bytes): write it again, or take it away")
        return InputFile(table, path, str(path), content_digest(path))
    except OSError as error:
        raise BadInput(f"{path}: unreadable ({error})") from error


def _walk(folder: UPath) -> Iterator[UPath]:
    for entry in folder.iterdir():
        if entry.name.startswith(("_", ".")):
            continue
        if entry.is_dir():
            yield from _walk(entry)
        else:
            yield entry


def _is_known(path: UPath) -> bool:
    return path.name.lower().endswith((*PARQUET, *JSON_LINES))
