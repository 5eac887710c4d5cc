"""Lengths of time as Prometheus writes them: `30s`, `5m`, `1h30m`, `30d`. Whole seconds."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from contract.slo.text import shown

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
# Weeks are read, not written: 28d says more than 4w beside a budget of 30d.
WRITTEN = {unit: seconds for unit, seconds in UNITS.items() if unit != "w"}
# Prometheus counts nanoseconds in 64 bits, which end after 292 years; nobody keeps samples for ten.
LONGEST = 3_650 * UNITS["d"]
_PARTS = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,9}}){unit})?" for unit in UNITS))


def parse_duration(given: Any) -> int:
    """Seconds, from 1 to ten years. Raises ValueError: another form, nothing, or more."""
    found = _PARTS.fullmatch(given) if isinstance(given, str) else None
    seconds = sum(int(count) * UNITS[unit] for unit, count in found.groupdict(default="0").items()) if found else 0
    if not seconds:
        raise ValueError(f"{shown(given)} is no length of time: write it as 30s, 5m, 1h30m or 30d")
    if seconds > LONGEST:
        raise ValueError(f"{shown(given)} is longer than 10 years: write {duration_text(LONGEST)} or less")
    return seconds


def duration_text(seconds: int) -> str:
    """The shortest way to write it: 5400 is `1h30m`. Also part of the names of recorded series."""
    text = ""
    for unit, size in WRITTEN.items():
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text


# In a file a text such as `5m`, in Python the seconds.
Duration = Annotated[int, BeforeValidator(parse_duration)]
