"""What changed in the requests of a window: which stage grew, what levels were answered with, which model served."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from contract.metrics import LEVEL, MODEL_INFO, PARTS, STAGE_SECONDS
from contract.slo import duration_text
from pacesetter_airflow.objectives.prometheus import NoAnswer, Prometheus, Refused

DAY = 86_400
WEEK = 7 * DAY


@dataclass(frozen=True)
class Change:
    """A quantity in the window, and in the one that it is compared with; None where there was nothing."""

    name: str
    now: float | None
    before: float | None

    @property
    def growth(self) -> float | None:
        return None if self.now is None or self.before is None else self.now - self.before


@dataclass(frozen=True)
class Cause:
    """Mean seconds of the stages, those that grew most first; shares of the levels, 0 to 1; versions of the models.

    `compared_with` says which time `before` is, and is empty where there is nothing earlier. `unknown` says why
    nothing could be asked.
    """

    window: str = ""
    compared_with: str = ""
    stages: tuple[Change, ...] = ()
    levels: tuple[Change, ...] = ()
    models: tuple[str, ...] = ()
    unknown: str = ""

    @property
    def grown(self) -> Change | None:
        """The part of a request that grew most; None where none did."""
        parts = [stage for stage in self.stages if stage.name in PARTS and (stage.growth or 0.0) > 0]
        return parts[0] if parts else None


def find_cause(prometheus: Prometheus, at: float, window_seconds: int) -> Cause:
    """Compares the window that ends at the Unix time `at` with the same hour of last week.

    Where nobody asked for anything then, with yesterday's; else with the day before the window, of which a young
    Prometheus has a part: whatever there is, the comparison is named.
    """
    window = duration_text(window_seconds)
    try:
        stages = _stages(prometheus, at, window_seconds, 0)
        words, earlier, levels = _earlier(prometheus, at, window_seconds)
        models = prometheus.ask(f"{MODEL_INFO.name} == 1", at).samples
        return Cause(
            window=window,
            compared_with=words,
            stages=_by_growth(_changes(stages, earlier)),
            levels=tuple(_changes(_levels(prometheus, at, window_seconds, 0), levels, none=0.0 if levels else None)),
            models=tuple(sorted({sample.labels.get("version", "") for sample in models})),
        )
    except (NoAnswer, Refused) as error:
        return Cause(unknown=str(error))


def _earlier(prometheus: Prometheus, at: float, window_seconds: int) -> tuple[str, dict[str, float], dict[str, float]]:
    """The first of the comparisons that has data: its name, its stages, its levels."""
    window = duration_text(window_seconds)
    for words, seconds, offset in (
        (f"the same {window} of last week", window_seconds, WEEK),
        (f"the same {window} of yesterday", window_seconds, DAY),
        ("the day before, as far as there are data", DAY, window_seconds),
    ):
        if stages := _stages(prometheus, at, seconds, offset):
            return words, stages, _levels(prometheus, at, seconds, offset)
    return "", {}, {}


def _stages(prometheus: Prometheus, at: float, seconds: int, offset: int) -> dict[str, float]:
    """Mean seconds of each stage of a request."""
    total, count = (_rate(f"{STAGE_SECONDS.name}_{part}", "stage", seconds, offset) for part in ("sum", "count"))
    return _numbers(prometheus, f"{total} / {count}", "stage", at)


def _levels(prometheus: Prometheus, at: float, seconds: int, offset: int) -> dict[str, float]:
    rates = _numbers(prometheus, _rate(LEVEL.name, "level", seconds, offset), "level", at)
    total = sum(rates.values())
    return {level: rate / total for level, rate in rates.items() if rate} if total else {}


def _rate(series: str, label: str, seconds: int, offset: int) -> str:
    shifted = f" offset {duration_text(offset)}" if offset else ""
    return f"sum by ({label}) (rate({series}[{duration_text(seconds)}]{shifted}))"


def _numbers(prometheus: Prometheus, query: str, label: str, at: float) -> dict[str, float]:
    """By the value of `label`; without those that nobody counted anything of (0/0)."""
    samples = prometheus.ask(query, at).samples
    return {sample.labels.get(label, ""): sample.value for sample in samples if not math.isnan(sample.value)}


def _changes(now: dict[str, float], before: dict[str, float], none: float | None = None) -> list[Change]:
    """`none` is what a name had that the time before does not know."""
    return [Change(name, now.get(name), before.get(name, none)) for name in sorted(now | before)]


def _by_growth(changes: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: -(change.growth or 0.0)))
