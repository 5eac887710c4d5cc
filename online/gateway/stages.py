"""A request's clock: its budget, and where its time went."""

import time
from collections.abc import Callable
from typing import Literal

import msgspec

from contract.metrics import MODEL_PARTS, PARTS

Part = Literal["parse", "candidates", "rules", "transfer", "queue", "features", "encode", "score", "serialize"]


_OF_MODEL = [PARTS.index(part) for part in MODEL_PARTS]


class OutOfTime(Exception):
    """What is left of the budget does not suffice for the next step."""


class TimingMs(msgspec.Struct, frozen=True):
    """Milliseconds by stage: the first nine add up to `total`; `model` is `encode` and `score`, `system` the rest."""

    parse: float
    candidates: float
    rules: float
    transfer: float
    queue: float
    features: float
    encode: float
    score: float
    serialize: float
    model: float
    system: float
    total: float


# So many seconds of a part, and when they were over on the request's clock. Bare, as a request makes a dozen.
Lap = tuple[Part, float, float]


class RequestClock:
    """Started on arrival; the budget is set once the request is read.

    `lap` gives all the time since the lap before to a part, so that nothing is counted twice and nothing is left out.
    """

    def __init__(self, budget_seconds: float, trace_id: str = "", now: Callable[[], float] = time.perf_counter) -> None:
        """`trace_id` is what logs and traces know the request by."""
        self.trace_id = trace_id
        self._now = now
        self._started = self._until = now()
        self.budget_seconds = budget_seconds
        self.laps: list[Lap] = []

    def elapsed_seconds(self) -> float:
        return self._now() - self._started

    def remaining_seconds(self) -> float:
        return self.budget_seconds - self.elapsed_seconds()

    def require(self, seconds: float) -> None:
        """Raises OutOfTime unless `seconds` are left."""
        if self.remaining_seconds() < seconds:
            raise OutOfTime

    def lap(self, part: Part) -> None:
        """What happened since the lap before was this."""
        now = self._now()
        self.laps.append((part, now - self._until, now - self._started))
        self._until = now

    def ranked(self, queue: float, features: float, encode: float, score: float) -> None:
        """The ranker was asked since the lap before, and measured so many seconds itself: the others are the way."""
        now = self._now()
        spent = now - self._until
        measured = queue + features + encode + score
        # Two clocks: what the ranker says can be no longer than the wait for it.
        scale = min(1.0, spent / measured) if measured > 0 else 1.0
        way = (spent - measured * scale) / 2
        there = self._until - self._started + way
        ready = there + queue * scale
        known = ready + features * scale
        read = known + encode * scale
        scored = read + score * scale
        self.laps += (
            ("transfer", way, there),
            ("queue", queue * scale, ready),
            ("features", features * scale, known),
            ("encode", encode * scale, read),
            ("score", score * scale, scored),
            ("transfer", way, now - self._started),
        )
        self._until = now

    def timing(self) -> TimingMs:
        """Of all laps, in whole microseconds, so that the parts add up exactly."""
        seconds = dict.fromkeys(PARTS, 0.0)
        for part, spent, _ in self.laps:
            seconds[part] += spent
        parts = [int(spent * 1e6 + 0.5) for spent in seconds.values()]
        total, model = sum(parts), sum([parts[place] for place in _OF_MODEL])
        return TimingMs(*[us / 1000 for us in (*parts, model, total - model, total)])
