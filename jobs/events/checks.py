"""What a row of `events` or `items` must hold, column by column, before it may enter the lake."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as t

from contract.errors import BadInput
from jobs.events import values as v
from jobs.events.files import Table
from jobs.events.times import TIMESTAMP, check_timestamp

MAX_RAW_CHARACTERS = 1000


@dataclass(frozen=True)
class Column:
    """`wanted` says in words what `takes` accepts. A required column must be there, and never null."""

    type: pa.DataType
    wanted: str
    takes: Callable[[pa.DataType], bool]
    check: Callable[[pa.Array, datetime], v.Checked]
    required: bool = False


class Rejected(NamedTuple):
    """A row that is set aside: its number in the file (from 1), why, and what it was."""

    row_number: int
    reason: str
    raw: str


class Batch(NamedTuple):
    """Rows as they arrived: their numbers in the file (from 1), and the columns that were there."""

    row_numbers: pa.Array
    columns: dict[str, pa.Array]


def _id(required: bool = False) -> Column:
    return Column(
        pa.string(), "a string or an integer", lambda x: v.is_text(x) or t.is_integer(x), v.check_id, required
    )


def _time() -> Column:
    def takes(x: pa.DataType) -> bool:
        return t.is_timestamp(x) or t.is_date(x) or t.is_integer(x) or v.is_text(x)

    return Column(TIMESTAMP, "a timestamp, ISO 8601 text or epoch milliseconds", takes, check_timestamp, True)


def _is_labels(type_: pa.DataType) -> bool:
    if not (t.is_list(type_) or t.is_large_list(type_)) or t.is_dictionary(type_.value_type):
        return False
    return v.is_text(type_.value_type) or t.is_null(type_.value_type)


def _is_attributes(type_: pa.DataType) -> bool:
    if t.is_map(type_):
        return v.is_text(type_.key_type) and v.is_text(type_.item_type)
    return t.is_struct(type_) and all(v.is_text(field.type) or t.is_null(field.type) for field in type_)


COLUMNS: dict[Table, dict[str, Column]] = {
    "events": {
        "event_id": _id(required=True),
        "ts": _time(),
        "type": Column(pa.string(), "a string", v.is_text, v.check_event_type, True),
        "user_id": _id(),
        "session_id": _id(),
        "item_id": _id(required=True),
        "position": Column(pa.int32(), "an integer", v.is_number, v.check_position),
        "recommendation_id": _id(),
        "value": Column(pa.float64(), "a number", v.is_number, v.check_number),
    },
    "items": {
        "item_id": _id(required=True),
        "title": Column(pa.string(), "a string", v.is_text, v.check_title, True),
        "text": Column(pa.string(), "a string", v.is_text, v.check_text),
        "categories": Column(v.LABELS, "a list of strings", _is_labels, v.check_categories),
        "price": Column(pa.float64(), "a number", v.is_number, v.check_price),
        "attributes": Column(v.ATTRIBUTES, "a map of strings", _is_attributes, v.check_attributes),
        "available": Column(pa.bool_(), "a boolean", t.is_boolean, v.check_flag),
        "updated_at": _time(),
    },
}


def check_schema(table: Table, schema: pa.Schema, name: str) -> None:
    """Raises BadInput that names the file and every column that is missing or of a type that cannot be read."""
    wrong = []
    for column, spec in COLUMNS[table].items():
        if column not in schema.names:
            if spec.required:
                wrong.append(f"column {column} is missing ({spec.wanted})")
        elif not (t.is_null(schema.field(column).type) or spec.takes(schema.field(column).type)):
            wrong.append(f"column {column} is {schema.field(column).type}, wanted {spec.wanted}")
    if wrong:
        raise BadInput(
            f"{name}: {'; '.join(wrong)}; its columns are {', '.join(schema.names)}. "
            f"Nothing was imported: write {table} in the documented schema"
        )


def check_batch(table: Table, batch: Batch, now: datetime) -> tuple[pa.Table, list[Rejected]]:
    """The good rows in the lake's types, with `row_number`; and the others, each with its first reason."""
    count = len(batch.row_numbers)
    reasons = np.full(count, None, object)
    out: dict[str, pa.Array] = {}
    for name, spec in COLUMNS[table].items():
        array = batch.columns.get(name)
        if array is None or t.is_null(array.type):
            array = pa.nulls(count, pa.string() if v.is_text(spec.type) or spec.required else spec.type)
        checked = spec.check(array, now)
        out[name] = checked.values
        missing = [(pc.is_null(checked.values), "missing or empty")] if spec.required else []
        for mask, problem in [*checked.problems, *missing]:
            rows = np.asarray(pc.fill_null(mask, False)) & (reasons == None)  # noqa: E711
            reasons[rows] = f"{name}: {problem}"
    good = pa.table({**out, "row_number": batch.row_numbers})
    bad = np.flatnonzero(reasons != None)  # noqa: E711
    if not len(bad):
        return good, []
    rejected = [Rejected(batch.row_numbers[row].as_py(), reasons[row], raw_row(batch.columns, row)) for row in bad]
    return good.filter(pa.array(reasons == None)), rejected  # noqa: E711


def raw_row(columns: dict[str, pa.Array], row: int) -> str:
    """A row as it arrived, as JSON, cut to MAX_RAW_CHARACTERS."""
    values = {}
    for name, array in columns.items():
        try:
            values[name] = array[row].as_py()
        except UnicodeDecodeError:
            raw = array[row].cast(pa.binary()).as_py() if v.is_text(array.type) else b"(not UTF-8)"
            values[name] = raw.decode(errors="replace")
    return json.dumps(values, default=str, ensure_ascii=False)[:MAX_RAW_CHARACTERS]
