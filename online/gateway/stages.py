"""A request's clock: its budget, and where its time went."""

import time
from collections.abc import Callable
from typing import Literal

import msgspec

from contract.metrics import PARTS

Part = Literal["parse", "candidates", "rules", "transfer", "queue", "features", "encode", "score", "serialize"]


_RANKED: tuple[Part, ...] = ("transfer", "queue", "features", "encode", "score", "transfer")
_PLACES = {part: place for place, part in enumerate(PARTS)}


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
    Laps are two lists, `parts` and when each was over, `ends`, in whole microseconds since the start, so that parts add
    up exactly. A request makes a dozen: what it leaves behind until it is told of costs the garbage collector by the
    object, and each step here costs several times what it does in a loop, as the caches are full of other things.
    """

    __slots__ = ("_now", "_started", "budget_seconds", "ends", "parts", "trace_id")

    def __init__(
        self, budget_seconds: float, trace_id: str = "", now: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        """`trace_id` is what logs and traces know the request by; `now` is in nanoseconds."""
        self.trace_id = trace_id
        self._now = now
        self._started = now()
        self.budget_seconds = budget_seconds
        self.parts: list[Part] = []
        self.ends: list[int] = []

    def remaining_seconds(self) -> float:
        return self.budget_seconds - (self._now() - self._started) / 1e9

    def require(self, seconds: float) -> None:
        """Raises OutOfTime unless `seconds` are left."""
        if self.remaining_seconds() < seconds:
            raise OutOfTime

    def lap(self, part: Part) -> None:
        """What happened since the lap before was this."""
        self.parts.append(part)
        self.ends.append((self._now() - self._started) // 1000)

    def ranked(self, queue: int, features: int, encode: int, score: int) -> None:
        """The ranker was asked since the lap before, and measured so many microseconds: the others are the way."""
        asked = self.ends[-1] if self.ends else 0
        answered = (self._now() - self._started) // 1000
        way = answered - asked - queue - features - encode - score
        if way < 0:  # two clocks: what the ranker says can be no longer than the wait for it
            shrunk = (answered - asked) / (answered - asked - way)
            queue, features, encode, score = (int(spent * shrunk) for spent in (queue, features, encode, score))
            way = answered - asked - queue - features - encode - score
        there = asked + way // 2
        known = there + queue + features
        read = known + encode
        self.parts += _RANKED
        self.ends += (there, there + queue, known, read, read + score, answered)

    def timing(self) -> TimingMs:
        """Of all laps."""
        spent = [0] * len(PARTS)
        before = 0
        for part, end in zip(self.parts, self.ends, strict=True):
            spent[_PLACES[part]] += end - before
            before = end
        parse, candidates, rules, transfer, queue, features, encode, score, serialize = spent
        model = encode + score
        return TimingMs(
            parse / 1000,
            candidates / 1000,
            rules / 1000,
            transfer / 1000,
            queue / 1000,
            features / 1000,
            encode / 1000,
            score / 1000,
            serialize / 1000,
            model / 1000,
            (before - model) / 1000,
            before / 1000,
        )
