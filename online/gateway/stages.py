"""A request's clock: its budget, and where its time went."""

import time
from collections.abc import Callable
from typing import Literal

import msgspec

from contract.metrics import MODEL_PARTS, PARTS

Part = Literal["parse", "candidates", "rules", "transfer", "queue", "features", "encode", "score", "serialize"]


_PLACES = {part: place for place, part in enumerate(PARTS)}
_ENCODE, _SCORE = (_PLACES[part] for part in MODEL_PARTS)


class OutOfTime(Exception):
    """What is left of the budget does not suffice for the next step."""


class TimingMs(msgspec.Struct, frozen=True, gc=False):
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


class RequestClock:
    """Started on arrival; the budget is set once the request is read.

    `lap` gives all the time since the lap before to a part, so that nothing is counted twice and nothing is left out.
    Laps are two lists, `parts` and when each was over, `ends`, in seconds since the start: a request makes a dozen, and
    what it leaves behind until it is told of costs the garbage collector by the object.
    """

    def __init__(self, budget_seconds: float, trace_id: str = "", now: Callable[[], float] = time.perf_counter) -> None:
        """`trace_id` is what logs and traces know the request by."""
        self.trace_id = trace_id
        self._now = now
        self._started = now()
        self.budget_seconds = budget_seconds
        self.parts: list[Part] = []
        self.ends: list[float] = []

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
        self.parts.append(part)
        self.ends.append(self._now() - self._started)

    def ranked(self, queue: float, features: float, encode: float, score: float) -> None:
        """The ranker was asked since the lap before, and measured so many seconds itself: the others are the way."""
        asked, answered = self.ends[-1] if self.ends else 0.0, self.elapsed_seconds()
        spent = answered - asked
        measured = queue + features + encode + score
        # Two clocks: what the ranker says can be no longer than the wait for it.
        scale = min(1.0, spent / measured) if measured > 0 else 1.0
        there = asked + (spent - measured * scale) / 2
        ready = there + queue * scale
        known = ready + features * scale
        read = known + encode * scale
        self.parts += ("transfer", "queue", "features", "encode", "score", "transfer")
        self.ends += (there, ready, known, read, read + score * scale, answered)

    def timing(self) -> TimingMs:
        """Of all laps, in whole microseconds, so that the parts add up exactly."""
        spent = [0] * len(PARTS)
        before = 0
        for part, end in zip(self.parts, self.ends, strict=True):
            until = max(before, int(end * 1e6 + 0.5))  # sums of floats may end a hair before the lap before
            spent[_PLACES[part]] += until - before
            before = until
        model = spent[_ENCODE] + spent[_SCORE]
        return TimingMs(*[us / 1000 for us in (*spent, model, before - model, before)])
