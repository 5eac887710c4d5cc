"""Timestamps as users bring them, made microseconds in UTC."""

from datetime import datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as t

from jobs.events.values import Checked, as_text, is_text

TIMESTAMP = pa.timestamp("us", "UTC")
# Clocks differ by minutes; hours are a wrong time zone.
FUTURE_ALLOWANCE = timedelta(hours=1)
# pandas has no later time; for our purpose all of them are one.
_FAR_FUTURE = r"^(226[3-9]|22[7-9]\d|2[3-9]\d\d|[3-9]\d{3})-?\d\d-?\d\d([Tt ]|$)"
_FAR_FUTURE_US = 2**63 - 1
# An epoch number below this is most likely in seconds: as milliseconds it lies before March 1973.
MIN_EPOCH_MS = 100_000_000_000
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def check_timestamp(array: pa.Array, now: datetime) -> Checked:
    """Timestamps (naive ones are UTC), ISO 8601 text, or integers: milliseconds since 1970.

    Later than `now` + FUTURE_ALLOWANCE is a problem, as is anything before 1970.
    """
    problems: list[tuple[pa.Array, str]] = []
    unit = "us"
    if t.is_integer(array.type):
        ticks, unit = array.cast(pa.int64(), safe=False), "ms"
        seconds = pc.and_(pc.less(ticks, MIN_EPOCH_MS), pc.greater_equal(ticks, 0))
        problems.append((seconds, f"an epoch number below {MIN_EPOCH_MS}: give milliseconds"))
    elif is_text(array.type):
        text, damaged = as_text(array)
        ticks = _parse(text)
        unreadable = pc.and_(pc.is_valid(text), pc.is_null(ticks))
        problems += [(damaged, "not UTF-8"), (unreadable, "not a timestamp (ISO 8601, or epoch milliseconds)")]
    else:
        array = array.cast(pa.timestamp("s")) if t.is_date(array.type) else array
        ticks, unit = array.cast(pa.int64()), array.type.unit
    latest = int((now + FUTURE_ALLOWANCE).timestamp()) * _PER_SECOND[unit]
    problems += [(pc.greater(ticks, latest), "in the future"), (pc.less(ticks, 0), "before 1970")]
    # Only what lies between is scaled: the rest might not fit into 64 bits.
    between = pc.and_(pc.greater_equal(ticks, 0), pc.less_equal(ticks, latest))
    held = pc.if_else(between, ticks, pa.scalar(None, pa.int64()))
    held = pc.divide(held, 1000) if unit == "ns" else pc.multiply(held, 10**6 // _PER_SECOND[unit])
    return Checked(held.cast(TIMESTAMP), problems)


def _parse(text: pa.Array) -> pa.Array:
    """int64 microseconds since 1970, null where the text is no time."""
    digits = pc.fill_null(pc.match_substring_regex(text, r"^\d+$"), False)
    zoned = pc.fill_null(pc.match_substring_regex(text, r"[Tt ]\d{2}.*([Zz]|[+-]\d{2}(:?\d{2})?)$"), False)
    epoch = [None if number is None else _epoch_us(number) for number in _only(text, digits).to_pylist()]
    far = pc.if_else(pc.match_substring_regex(text, _FAR_FUTURE), _FAR_FUTURE_US, pa.scalar(None, pa.int64()))
    # Apart, because in one call pandas reads naive times in the zone of the ones before them.
    naive = _iso_us(_only(text, pc.invert(pc.or_(digits, zoned))))
    return pc.coalesce(_iso_us(_only(text, zoned)), naive, pa.array(epoch, pa.int64()), far)


def _iso_us(text: pa.Array) -> pa.Array:
    parsed = pd.Series(pd.to_datetime(text.to_pandas(), format="ISO8601", utc=True, errors="coerce"))
    return pa.array(parsed.dt.as_unit("us"), TIMESTAMP).cast(pa.int64())


def _only(text: pa.Array, rows: pa.Array) -> pa.Array:
    return pc.if_else(rows, text, pa.scalar(None, pa.string()))


def _epoch_us(digits: str) -> int | None:
    milliseconds = int(digits) if len(digits) < 16 else 0
    return milliseconds * 1000 if milliseconds >= MIN_EPOCH_MS else None
