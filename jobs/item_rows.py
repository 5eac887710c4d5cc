"""Rows of the lake as contract.records.ItemRecord."""

from collections.abc import Collection, Mapping
from typing import Any

from contract.records import ItemRecord


def item_columns(there: Collection[str]) -> list[str]:
    """The columns of a record that a table has: a field that was added since a night keeps its default."""
    return [name for name in ItemRecord.__struct_fields__ if name in there]


def as_item(row: Mapping[str, Any]) -> ItemRecord:
    """A record of an ITEM_FEATURES row as Arrow gives it, a map as pairs; columns that no record has are not read."""
    fields = {name: row[name] for name in item_columns(row)}
    for name, empty in (("categories", tuple), ("attributes", dict), ("vector", bytes)):
        if name in fields:
            fields[name] = empty(fields[name] or ())
    return ItemRecord(**fields)
