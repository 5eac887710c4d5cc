"""`/monitor.json`: where the time of the last minutes went, in figures and as a series; `/monitor` is its page."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from flask import Blueprint, Response

from online.gateway.figures import window
from online.gateway.metrics import GatewayMetrics
from online.gateway.objectives import Objectives
from online.gateway.series import Series
from online.gateway.standby import Pulse
from online.gateway.windows import STARTED_VARIABLE, History, Snapshot, snapshot

WINDOWS_MINUTES = (1, 5, 15)
SNAPSHOT_SECONDS = 5.0


class Monitor:
    """Takes a snapshot of every worker's metrics now and then, and tells what changed since.

    The first one is of the gateway's start, when all was zero, or, in a worker that took the place of
    another long after, of the worker's own. `objectives` is the file that they stand in.
    """

    def __init__(
        self,
        metrics: GatewayMetrics,
        pulse: Pulse,
        objectives: Path,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._metrics = metrics
        self._pulse = pulse
        self._objectives = Objectives(objectives)
        self._clock = clock
        self._wall_clock = wall_clock
        longest = WINDOWS_MINUTES[-1] * 60
        self._started = float(os.environ.get(STARTED_VARIABLE, self._clock()))
        young = STARTED_VARIABLE in os.environ and self._clock() - self._started < longest
        first = Snapshot(self._started) if young else self._now()
        self._history = History(first, longest)
        self._series = Series(first, int(longest / SNAPSHOT_SECONDS), SNAPSHOT_SECONDS)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def remember(self) -> None:
        taken = self._now()
        self._history.add(taken)
        self._series.add(taken, self._wall_clock())

    def report(self) -> dict[str, Any]:
        """The body of /monitor.json."""
        now = self._now()
        standby = self._pulse.standby
        age = round(self._wall_clock() - standby.created_at, 3) if standby else None
        return {
            "at": round(self._wall_clock(), 3),
            "uptime_seconds": round(now.at - self._started, 3),
            "store": self._pulse.store,
            "ranker": self._pulse.ranker,
            "generation": standby.pointer.generation if standby else None,
            "model_version": (standby.pointer.model or None) if standby else None,
            "candidates_age_seconds": age,
            "objectives_unknown": self._objectives.unknown,
            "windows": {f"{minutes}m": self._window(now, minutes, age) for minutes in WINDOWS_MINUTES},
            "series": self._series.columns(),
        }

    def _window(self, now: Snapshot, minutes: int, age_seconds: float | None) -> dict[str, Any]:
        before = self._history.before(now.at - minutes * 60)
        return {**window(now, before), "objectives": self._objectives.judged(now, before, age_seconds)}

    def _now(self) -> Snapshot:
        return snapshot(self._metrics.families(), self._clock())

    def _run(self) -> None:
        # On whole steps of the wall clock, so that the points of all workers are of the same seconds.
        while not self._stopping.wait(SNAPSHOT_SECONDS - self._wall_clock() % SNAPSHOT_SECONDS):
            self.remember()


def monitor_blueprint(monitor: Monitor) -> Blueprint:
    blueprint = Blueprint("monitor", __name__)

    @blueprint.get("/monitor.json")
    def monitor_json() -> Response:
        return Response(msgspec.json.encode(monitor.report()), content_type="application/json")

    return blueprint
