"""Which of the rank requests that wait are scored together, and at which level."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from contract.frames import RankRequest
from online.ranker.budget import LevelCosts
from online.ranker.line import Job, Line, Refused
from online.ranker.models import ModelWatch, Scorer


class Batch(NamedTuple):
    """Jobs that are scored together, at one level; `best` where it is the best one."""

    jobs: list[Job]
    model: Scorer
    level: Any
    best: bool


class Batcher:
    """Takes the first in the line, and those behind it as long as all of them would be done within `batch_seconds`, and
    each within its budget."""

    def __init__(
        self,
        watch: ModelWatch,
        cost: LevelCosts,
        batch_seconds: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._watch = watch
        self._cost = cost
        self._batch_seconds = batch_seconds
        self._clock = clock

    def model_for(self, request: RankRequest) -> Scorer:
        """The model served, if the request may have it: it names that one, or the one about to take its place.

        Raises Refused. A name never heard of makes the watch look at the pointer at once.
        """
        serving, wanted = self._watch.serving, self._watch.wanted
        known = request.model == wanted
        if not known:
            self._watch.look_soon()
        if serving is None:
            why = self._watch.refusal if known and self._watch.refusal else "none is loaded yet"
            raise Refused("no_model", why, request.request_id)
        if known or request.model == serving.version:
            return serving
        raise Refused("other_model", f"this ranker serves {serving.version}, not {request.model}", request.request_id)

    def batch(self, first: Job, line: Line) -> Batch:
        """`first` was taken from the line already. Raises Refused where it cannot be done."""
        model, now = self.model_for(first.request), self._clock()
        waiting, pairs = line.load, len(first.candidates)
        levels = self._cost.served(model.levels)
        left = first.waiting.remaining_seconds(now)
        level = self._cost.within(levels, pairs, waiting.pairs, waiting.requests, left)
        self._cost.passed_over(levels, level)
        if level is None:
            needed = self._cost.least_seconds(levels, pairs)
            spent = f"{first.waiting.waited_seconds(now) * 1000:.1f} ms in the queue, {needed * 1000:.1f} ms to score"
            budget = first.request.budget_ms
            raise Refused("over_budget", f"{spent}, {budget:.1f} ms given", first.request.request_id)
        jobs = [first]

        def joins(job: Job) -> bool:
            own, own_left = len(job.candidates), job.waiting.remaining_seconds(now)
            needed = self._cost.seconds(level, pairs + own, len(jobs) + 1)
            if not (0 < needed <= self._batch_seconds and needed < min(left, own_left)):
                return False
            if level != levels[0]:  # not for one that has the time for a better level in its own turn
                waiting = line.load  # and itself
                if self._cost.within(levels, own, waiting.pairs - own, waiting.requests - 1, own_left) != level:
                    return False
            return self._has(model, job.request)

        while (job := line.next_if(joins)) is not None:
            jobs.append(job)
            pairs += len(job.candidates)
            left = min(left, job.waiting.remaining_seconds(now))
        return Batch(jobs, model, level, level == levels[0])

    def _has(self, model: Scorer, request: RankRequest) -> bool:
        try:
            return self.model_for(request) is model
        except Refused:
            return False
