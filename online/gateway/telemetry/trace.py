"""The identity of a request in logs and traces: the caller's where it sends one, else a new one."""

import re
from collections.abc import Callable

import msgspec

# https://www.w3.org/TR/trace-context/: a later version may append fields, ff is none.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)")
_SAMPLED = 0x01

# The header of every answer to a recommend call, and of every problem.
TRACE_ID = "X-Trace-Id"


class Trace(msgspec.Struct, frozen=True, gc=False):
    """`trace_id` in 32 hexadecimal digits. Of a caller that has one: its span in 16, and whether it records it."""

    trace_id: str
    parent: str | None = None
    sampled: bool = False


def trace_of(traceparent: str | None, own: Callable[[], str]) -> Trace:
    """By the header of that name; without one, or by one that cannot be used, as the standard has it, a trace of an
    `own` id begins."""
    found = _TRACEPARENT.match(traceparent) if traceparent else None
    if found is None:
        return Trace(own())
    trace_id, parent, flags = found.groups()
    appended = found.end() != len(found.string)
    if not int(trace_id, 16) or not int(parent, 16) or (appended and found.string.startswith("00")):
        return Trace(own())
    return Trace(trace_id, parent, bool(int(flags, 16) & _SAMPLED))
