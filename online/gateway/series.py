"""The last minutes as points in time, one every few seconds: what the charts of /monitor draw."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from contract import metrics as names
from contract.levels import LEVELS
from contract.metrics import PARTS
from online.gateway.figures import milliseconds, parts_ms, per_second, stages_between
from online.gateway.windows import Snapshot

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Point:
    """What happened in the step that ended at `number` times the step. Without answers there are no times."""

    number: int
    answers_per_second: float | None
    t_total_ms: float | None
    parts_ms: dict[str, float | None]
    quantiles_ms: dict[str, float | None]
    levels_per_second: dict[str, float | None]


class Series:
    """At most `length` points, from `first` on; a point is made once, as its snapshot is taken.

    Points lie on whole multiples of the step of wall-clock time, so that every worker's are the same ones.
    """

    def __init__(self, first: Snapshot, length: int, step_seconds: float) -> None:
        self._last = first
        self._step_seconds = step_seconds
        self._points: deque[Point] = deque(maxlen=length)
        self._lock = threading.Lock()

    def add(self, taken: Snapshot, wall_seconds: float) -> None:
        """A second snapshot within a step waits for the next one; a clock that was set back begins anew."""
        number = round(wall_seconds / self._step_seconds)
        with self._lock:
            newest = self._points[-1].number if self._points else None
            if number == newest:
                return
            if newest is not None and number < newest:
                self._points.clear()
            self._points.append(_point(number, taken, self._last))
            self._last = taken

    def columns(self) -> dict[str, Any]:
        """A list a column, oldest first, all of one length. `at`: seconds since 1970 at the end of the step."""
        with self._lock:
            points = list(self._points)
        return {
            "step_seconds": self._step_seconds,
            "at": [point.number * self._step_seconds for point in points],
            "answers_per_second": [point.answers_per_second for point in points],
            "t_total_ms": [point.t_total_ms for point in points],
            "parts_ms": {part: [point.parts_ms[part] for point in points] for part in PARTS},
            "quantiles_ms": {name: [point.quantiles_ms[name] for point in points] for name in QUANTILES},
            "levels_per_second": {level: [point.levels_per_second[level] for point in points] for level in LEVELS},
        }


def _point(number: int, now: Snapshot, before: Snapshot) -> Point:
    stages = stages_between(now, before)
    total = stages["total"]
    seconds = now.at - before.at
    levels = now.counts(names.LEVEL.name, before)
    return Point(
        number,
        per_second(total.count, seconds),
        milliseconds(total.mean()),
        parts_ms(stages),
        {name: milliseconds(total.quantile(q)) for name, q in QUANTILES.items()},
        {level: per_second(levels.get(level, 0.0), seconds) for level in LEVELS},
    )
