"""JSON lines, one row a line: a line that does not parse is set aside, and the rest of the file goes on."""

import gzip
import re
import zlib
from collections.abc import Iterator
from typing import IO, Annotated

import msgspec
import pyarrow as pa

from contract.errors import BadInput
from jobs.events import values as v
from jobs.events.checks import MAX_RAW_CHARACTERS, Batch, Rejected
from jobs.events.files import InputFile, Table

MAX_LINE_BYTES = 32_000_000
# What bounds the memory of a batch: this many lines, or lines of this size together.
_BATCH_LINES = 65_536
_BATCH_BYTES = 32_000_000
_BOM = b"\xef\xbb\xbf"
_NOT_FINITE = re.compile(rb'"(\w+)"\s*:\s*(NaN|-?Infinity)\b')
_DAMAGED_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)

Id = str | int | None


class EventLine(msgspec.Struct):
    event_id: Id = None
    ts: str | int | None = None
    type: str | None = None
    user_id: Id = None
    session_id: Id = None
    item_id: Id = None
    position: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None
    recommendation_id: Id = None
    value: float | None = None


class ItemLine(msgspec.Struct):
    item_id: Id = None
    title: str | None = None
    text: str | None = None
    categories: list[str] | None = None
    price: float | None = None
    attributes: dict[str, str | None] | None = None
    available: bool | None = None
    updated_at: str | int | None = None


_DECODERS = {"events": msgspec.json.Decoder(EventLine), "items": msgspec.json.Decoder(ItemLine)}
_TYPES: dict[str, pa.DataType] = {
    "position": pa.int32(),
    "value": pa.float64(),
    "price": pa.float64(),
    "available": pa.bool_(),
    "categories": v.LABELS,
    "attributes": v.ATTRIBUTES,
}


def read_json_lines(file: InputFile) -> Iterator[tuple[Batch, list[Rejected]]]:
    """Batches of rows, and the lines that are no rows. Row numbers are line numbers; blank lines are no rows.

    Raises BadInput for a JSON array and for a damaged or truncated gzip file.
    """
    decode = _DECODERS[file.table].decode
    rows: list[msgspec.Struct] = []
    numbers: list[int] = []
    rejected: list[Rejected] = []
    size = 0
    for number, line in _lines(file):
        size += len(line)
        try:
            # msgspec does not look into fields that it skips.
            if not line.isascii():
                line.decode()
            if len(line) > MAX_LINE_BYTES:
                raise msgspec.DecodeError(f"longer than {MAX_LINE_BYTES} bytes")
            rows.append(decode(line))
            numbers.append(number)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raw = line[: 4 * MAX_RAW_CHARACTERS].decode(errors="replace")[:MAX_RAW_CHARACTERS]
            rejected.append(Rejected(number, _not_finite(line) or _reason(error), raw))
        if size >= _BATCH_BYTES or len(rows) + len(rejected) >= _BATCH_LINES:
            yield _batch(file.table, numbers, rows), rejected
            rows, numbers, rejected, size = [], [], [], 0
    if rows or rejected:
        yield _batch(file.table, numbers, rows), rejected


def _not_finite(line: bytes) -> str | None:
    """What Python's own json module writes for such a number is no JSON."""
    found = _NOT_FINITE.search(line)
    return f"{found[1].decode()}: not a finite number (JSON has no {found[2].decode()}: write null)" if found else None


def _lines(file: InputFile) -> Iterator[tuple[int, bytes]]:
    """(line number from 1, line), blank ones left out; what exceeds MAX_LINE_BYTES of a line is dropped."""
    with file.path.open("rb") as raw:
        stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if file.path.name.lower().endswith(".gz") else raw
        number = 0
        try:
            while line := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                end = line
                while not end.endswith(b"\n") and (end := stream.readline(MAX_LINE_BYTES)):
                    pass
                text = line.removeprefix(_BOM).strip() if number == 1 else line.strip()
                if number == 1 and text.startswith(b"["):
                    raise BadInput(f"{file.name}: this is a JSON array: write one object a line (JSON lines)")
                if text:
                    yield number, text
        except _DAMAGED_GZIP as error:
            raise BadInput(
                f"{file.name}: damaged or truncated after line {number} ({error}); nothing was imported: "
                "write the file again"
            ) from error


def _reason(error: Exception) -> str:
    """`column: what is wrong`; `line:` where no column is to blame. Free of values, so that reasons can be counted."""
    if isinstance(error, UnicodeDecodeError):
        return "line: not UTF-8"
    if isinstance(error, msgspec.ValidationError):
        what, _, path = str(error).partition(" - at `$.")
        return f"{path.rstrip('`').split('[')[0] or 'line'}: {what[0].lower()}{what[1:]}"
    if "longer than" in str(error):
        return f"line: {error}"
    return "line: not JSON"


def _batch(table: Table, numbers: list[int], rows: list[msgspec.Struct]) -> Batch:
    columns = {}
    for name in _DECODERS[table].type.__struct_fields__:
        values = [getattr(row, name) for row in rows]
        kind = _TYPES.get(name)
        if kind is None:
            kind = pa.string()
            values = [value if value is None or type(value) is str else str(value) for value in values]
        elif name == "attributes":
            values = [None if value is None else list(value.items()) for value in values]
        columns[name] = pa.array(values, kind)
    return Batch(pa.array(numbers, pa.int64()), columns)
