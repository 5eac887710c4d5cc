"""What happened between two snapshots, in the figures of /monitor.json. Pure."""

from collections.abc import Mapping
from typing import Any

from contract import metrics as names
from contract.metrics import PARTS
from online.gateway.windows import Histogram, Snapshot


def stages_between(now: Snapshot, before: Snapshot) -> dict[str, Histogram]:
    """What was observed of every stage."""
    return {stage: now.histogram(names.STAGE_SECONDS.name, before, stage) for stage in names.STAGES}


def window(now: Snapshot, before: Snapshot) -> dict[str, Any]:
    """t_total = t_model + t_system are means over the answered requests; `parts_ms` add up to t_total too.

    What nothing was observed of is None.
    """
    stages = stages_between(now, before)
    seconds = now.at - before.at
    cache = now.counts(names.CACHE.name, before)
    looked_up = sum(cache.values())
    return {
        "seconds": round(seconds, 3),
        "answers": int(stages["total"].count),
        "answers_per_second": per_second(stages["total"].count, seconds),
        "t_total_ms": milliseconds(stages["total"].mean()),
        "t_model_ms": milliseconds(stages["model"].mean()),
        "t_system_ms": milliseconds(stages["system"].mean()),
        "parts_ms": parts_ms(stages),
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


def parts_ms(stages: Mapping[str, Histogram]) -> dict[str, float | None]:
    """Milliseconds of an answer by part, on average."""
    answers = stages["total"].count
    return {part: milliseconds(stages[part].sum / answers if answers else None) for part in PARTS}


def milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 4)


def per_second(count: float, seconds: float) -> float | None:
    return round(count / seconds, 3) if seconds > 0 else None


def _figures(histogram: Histogram) -> dict[str, Any]:
    return {
        "count": int(histogram.count),
        "mean_ms": milliseconds(histogram.mean()),
        "p50_ms": milliseconds(histogram.quantile(0.5)),
        "p95_ms": milliseconds(histogram.quantile(0.95)),
        "p99_ms": milliseconds(histogram.quantile(0.99)),
    }


def _bottleneck(stages: Mapping[str, Histogram]) -> dict[str, Any] | None:
    """The part with the greatest share of the total time."""
    total = stages["total"].sum
    if not stages["total"].count or total <= 0:
        return None
    name = max(PARTS, key=lambda part: stages[part].sum)
    return {"stage": name, "share": round(stages[name].sum / total, 4)}
