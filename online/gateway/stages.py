"""A request's clock: its budget, and where its time went."""

import time
from collections.abc import Callable

import msgspec


class OutOfTime(Exception):
    """What is left of the budget does not suffice for the next step."""


class TimingMs(msgspec.Struct, frozen=True):
    """Milliseconds by stage. `total` = `model` + `system`; the first three are parts of `system`."""

    queue: float
    candidates: float
    features: float
    model: float
    system: float
    total: float


class RequestClock:
    """Started on arrival; the budget is set once the request is read."""

    def __init__(self, budget_seconds: float, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._started = now()
        self.budget_seconds = budget_seconds
        self.candidates_seconds = 0.0
        self.queue_ms = 0.0
        self.features_ms = 0.0
        self.model_ms = 0.0

    def elapsed_seconds(self) -> float:
        return self._now() - self._started

    def remaining_seconds(self) -> float:
        return self.budget_seconds - self.elapsed_seconds()

    def require(self, seconds: float) -> None:
        """Raises OutOfTime unless `seconds` are left."""
        if self.remaining_seconds() < seconds:
            raise OutOfTime

    def candidates_are_there(self) -> None:
        self.candidates_seconds = self.elapsed_seconds()

    def ranked(self, queue_ms: float, features_ms: float, model_ms: float) -> None:
        """Times that the ranker measured."""
        self.queue_ms, self.features_ms, self.model_ms = queue_ms, features_ms, model_ms

    def timing(self) -> TimingMs:
        """All stages up to now."""
        total = round(self.elapsed_seconds() * 1000, 3)
        model = min(round(self.model_ms, 3), total)
        return TimingMs(
            round(self.queue_ms, 3),
            round(self.candidates_seconds * 1000, 3),
            round(self.features_ms, 3),
            model,
            round(total - model, 3),
            total,
        )
