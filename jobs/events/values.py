"""One column of what users bring: the types it may arrive in, and the values in it that are bad.

A check takes an Arrow array and returns it in the lake's type, with the rows that do not hold and why.
Bad values may come back as null; a problem's mask is true on the rows that have it (null counts as false).
"""

from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as t

from contract.keys import MAX_ID_BYTES
from contract.schemas import EVENT_TYPES

MAX_TITLE_BYTES = 10_000
MAX_TEXT_BYTES = 1_000_000
LABELS = pa.list_(pa.string())
ATTRIBUTES = pa.map_(pa.string(), pa.string())
_TEXTS = (t.is_string, t.is_large_string, t.is_string_view, t.is_binary, t.is_large_binary, t.is_binary_view)
_MAX_POSITION = float(2**31 - 1)


class Checked(NamedTuple):
    """`values` in the lake's type; `problems`: (rows that have it, what it is)."""

    values: pa.Array
    problems: list[tuple[pa.Array, str]]


def is_text(type_: pa.DataType) -> bool:
    if t.is_dictionary(type_):
        return is_text(type_.value_type)
    return any(holds(type_) for holds in _TEXTS)


def is_number(type_: pa.DataType) -> bool:
    return t.is_integer(type_) or t.is_floating(type_) or t.is_decimal(type_)


def check_id(array: pa.Array, now: datetime) -> Checked:
    """Strings, or integers as they are written; at most MAX_ID_BYTES in UTF-8, none of them NUL, which ends an id where
    it is served. Empty is null."""
    values, damaged = as_text(array)
    empty = pc.equal(pc.binary_length(values), 0)
    nul = pc.match_substring(values, "\0")
    return Checked(_without(values, empty), [(damaged, "not UTF-8"), _longer(values, MAX_ID_BYTES), (nul, "has a NUL")])


def check_title(array: pa.Array, now: datetime) -> Checked:
    """A title of white space only is null."""
    values, damaged = as_text(array)
    blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(values)), 0)
    return Checked(_without(values, blank), [(damaged, "not UTF-8"), _longer(values, MAX_TITLE_BYTES)])


def check_text(array: pa.Array, now: datetime) -> Checked:
    values, damaged = as_text(array)
    return Checked(values, [(damaged, "not UTF-8"), _longer(values, MAX_TEXT_BYTES)])


def check_event_type(array: pa.Array, now: datetime) -> Checked:
    values, damaged = as_text(array)
    known = pc.is_in(values, value_set=pa.array([*EVENT_TYPES, None], pa.string()))
    return Checked(values, [(damaged, "not UTF-8"), (pc.invert(known), f"none of {', '.join(EVENT_TYPES)}")])


def check_number(array: pa.Array, now: datetime) -> Checked:
    values = array.cast(pa.float64(), safe=False)
    return Checked(values, [(pc.invert(pc.is_finite(values)), "not a finite number")])


def check_price(array: pa.Array, now: datetime) -> Checked:
    values, problems = check_number(array, now)
    return Checked(values, [*problems, (pc.less(values, 0.0), "negative")])


def check_position(array: pa.Array, now: datetime) -> Checked:
    """Integers from 0; a float that is whole will do (pandas makes floats of integers with gaps)."""
    numbers = array.cast(pa.float64(), safe=False)
    inside = pc.and_(pc.greater_equal(numbers, 0.0), pc.less_equal(numbers, _MAX_POSITION))
    bad = pc.invert(pc.and_(inside, pc.equal(pc.floor(numbers), numbers)))
    return Checked(_without(numbers, bad).cast(pa.int32()), [(bad, "not a whole number from 0 up")])


def check_flag(array: pa.Array, now: datetime) -> Checked:
    """Null is true: a catalogue that does not say so sells what it lists."""
    return Checked(pc.fill_null(array, True), [])


def check_categories(array: pa.Array, now: datetime) -> Checked:
    """Each is an id, because a segment's key is made of it; null is no category."""
    rows = array.cast(pa.list_(pa.binary())).to_pylist()
    values = [None if row is None else [_label(entry) for entry in row] for row in rows]
    bad = [row is not None and None in row for row in values]
    problem = f"an entry is null, empty, not UTF-8, or longer than {MAX_ID_BYTES} bytes"
    return Checked(pa.array([row or [] for row in values], LABELS), [(pa.array(bad, pa.bool_()), problem)])


def check_attributes(array: pa.Array, now: datetime) -> Checked:
    """A map of strings, or a struct of strings (what pandas makes of a dict); null is no attribute."""
    if t.is_struct(array.type):
        names = [field.name.encode() for field in array.type]
        columns = [column.cast(pa.binary()).to_pylist() for column in array.flatten()]
        given = zip(*columns, strict=True) if columns else [()] * len(array)
        rows = [[(k, v) for k, v in zip(names, row, strict=True) if v is not None] for row in given]
    else:
        rows = [row or [] for row in array.cast(pa.map_(pa.binary(), pa.binary())).to_pylist()]
    held: list[list[tuple[str, str | None]]] = []
    bad = []
    for row in rows:
        try:
            held.append([(key.decode(), None if value is None else value.decode()) for key, value in row])
            bad.append(False)
        except UnicodeDecodeError:
            held.append([])
            bad.append(True)
    return Checked(pa.array(held, ATTRIBUTES), [(pa.array(bad, pa.bool_()), "not UTF-8")])


def as_text(array: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Text or integers as UTF-8 strings, and the rows that are none (their value is null)."""
    if t.is_dictionary(array.type):
        array = array.dictionary_decode()
    if t.is_integer(array.type):
        return array.cast(pa.string()), _nowhere(array)
    raw = array.cast(pa.binary())
    try:
        return raw.cast(pa.string()), _nowhere(array)
    except pa.ArrowInvalid:
        values = pa.array([_utf8(value) for value in raw.to_pylist()], pa.string())
        return values, pc.and_(pc.is_valid(raw), pc.is_null(values))


def _label(raw: bytes | None) -> str | None:
    return _utf8(raw) if raw and len(raw) <= MAX_ID_BYTES else None


def _utf8(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def _longer(values: pa.Array, limit: int) -> tuple[pa.Array, str]:
    return pc.greater(pc.binary_length(values), limit), f"longer than {limit} bytes"


def _without(values: pa.Array, rows: pa.Array) -> pa.Array:
    return pc.if_else(pc.fill_null(rows, False), pa.scalar(None, values.type), values)


def _nowhere(array: pa.Array) -> pa.Array:
    return pa.array(np.zeros(len(array), bool))
