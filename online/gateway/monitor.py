"""`/monitor.json`: where the time of the last minutes went."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, Response

from contract import metrics as names
from online.gateway.metrics import GatewayMetrics
from online.gateway.standby import Pulse
from online.gateway.windows import STARTED_VARIABLE, Histogram, History, Snapshot, snapshot

WINDOWS_MINUTES = (1, 5, 15)
SNAPSHOT_SECONDS = 5.0
# Stages that do not overlap; what of `system` is none of them is `other`.
PARTS = ("queue", "candidates", "features", "model")


class Monitor:
    """Takes a snapshot of every worker's metrics now and then, and tells what changed since.

    The first one is of the gateway's start, when all was zero, or, in a worker that took the place of
    another long after, of the worker's own.
    """

    def __init__(self, metrics: GatewayMetrics, pulse: Pulse, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._pulse = pulse
        self._clock = clock
        longest = WINDOWS_MINUTES[-1] * 60
        self._started = float(os.environ.get(STARTED_VARIABLE, self._clock()))
        young = STARTED_VARIABLE in os.environ and self._clock() - self._started < longest
        self._history = History(Snapshot(self._started) if young else self._now(), longest)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def remember(self) -> None:
        self._history.add(self._now())

    def report(self) -> dict[str, Any]:
        """The body of /monitor.json."""
        now = self._now()
        standby = self._pulse.standby
        return {
            "uptime_seconds": round(now.at - self._started, 3),
            "store": self._pulse.store,
            "ranker": self._pulse.ranker,
            "generation": standby.pointer.generation if standby else None,
            "model_version": (standby.pointer.model or None) if standby else None,
            "candidates_age_seconds": round(time.time() - standby.created_at, 3) if standby else None,
            "windows": {
                f"{minutes}m": window(now, self._history.before(now.at - minutes * 60)) for minutes in WINDOWS_MINUTES
            },
        }

    def _now(self) -> Snapshot:
        return snapshot(self._metrics.families(), self._clock())

    def _run(self) -> None:
        while not self._stopping.wait(SNAPSHOT_SECONDS):
            self.remember()


def window(now: Snapshot, before: Snapshot) -> dict[str, Any]:
    """What happened between two snapshots. t_total = t_model + t_system are means over the answered requests."""
    stages = {stage: now.histogram(names.STAGE_SECONDS.name, before, stage) for stage in names.STAGES}
    seconds = now.at - before.at
    cache = now.counts(names.CACHE.name, before)
    looked_up = sum(cache.values())
    return {
        "seconds": round(seconds, 3),
        "answers": int(stages["total"].count),
        "answers_per_second": round(stages["total"].count / seconds, 3) if seconds > 0 else None,
        "t_total_ms": _ms(stages["total"].mean()),
        "t_model_ms": _ms(stages["model"].mean()),
        "t_system_ms": _ms(stages["system"].mean()),
        "stages": {stage: _figures(histogram) for stage, histogram in stages.items()},
        "bottleneck": _bottleneck(stages),
        "levels": {level: int(count) for level, count in now.counts(names.LEVEL.name, before).items()},
        "degraded": {reason: int(count) for reason, count in now.counts(names.SHED.name, before).items()},
        "cache": {
            "hits": int(cache.get("hit", 0)),
            "misses": int(cache.get("miss", 0)),
            "hit_ratio": round(cache.get("hit", 0) / looked_up, 4) if looked_up else None,
        },
        "impressions": {outcome: int(count) for outcome, count in now.counts(names.IMPRESSIONS.name, before).items()},
    }


def _figures(histogram: Histogram) -> dict[str, Any]:
    return {
        "count": int(histogram.count),
        "mean_ms": _ms(histogram.mean()),
        "p50_ms": _ms(histogram.quantile(0.5)),
        "p95_ms": _ms(histogram.quantile(0.95)),
        "p99_ms": _ms(histogram.quantile(0.99)),
    }


def _bottleneck(stages: dict[str, Histogram]) -> dict[str, Any] | None:
    """The part with the greatest share of the total time."""
    total = stages["total"].sum
    if not stages["total"].count or total <= 0:
        return None
    parts = {part: stages[part].sum for part in PARTS}
    parts["other"] = max(total - sum(parts.values()), 0.0)
    name = max(parts, key=lambda part: parts[part])
    return {"stage": name, "share": round(parts[name] / total, 4)}


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 4)


def monitor_blueprint(monitor: Monitor) -> Blueprint:
    blueprint = Blueprint("monitor", __name__)

    @blueprint.get("/monitor.json")
    def monitor_json() -> Response:
        return Response(msgspec.json.encode(monitor.report()), content_type="application/json")

    return blueprint
