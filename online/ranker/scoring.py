"""Rank requests to scores, those that wait together in one batch; socket and line are server.py's and line.py's."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from contract.errors import CorruptValue, NoGeneration, StoreUnreachable
from contract.features import TEXT_HISTORY
from contract.frames import RankError, RankReply, RankRequest
from online.ranker.budget import LevelCosts
from online.ranker.catalogue import Catalogue
from online.ranker.line import Job, Line, Refused
from online.ranker.metrics import RankerMetrics
from online.ranker.models import ModelWatch, Scorer

log = logging.getLogger(__name__)

Answer = RankReply | RankError


class Batch(NamedTuple):
    """Jobs that are scored together, at one level; `best` where it is the best one."""

    jobs: list[Job]
    model: Scorer
    level: Any
    best: bool


class Scoring:
    """Scores jobs with the model that is served, for one thread.

    Never idle while one waits: it takes the first in the line, and those behind it as long as all of them would be done
    within `batch_seconds`, and each within its budget.
    """

    def __init__(
        self,
        watch: ModelWatch,
        catalogue: Catalogue,
        cost: LevelCosts,
        metrics: RankerMetrics,
        batch_seconds: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._watch = watch
        self._catalogue = catalogue
        self._cost = cost
        self._metrics = metrics
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

    def answers(self, first: Job, line: Line) -> list[tuple[Job, Answer]]:
        """Scores, or an error frame, for `first` and for whoever was taken from the line with it; never raises."""
        try:
            batch = self._batch(first, line)
        except Refused as refused:
            return [(first, refused.frame())]
        began = self._clock()
        prepared: dict[Job, Any] = {}
        told: list[tuple[Job, Answer]] = []
        for job in batch.jobs:
            try:
                prepared[job] = self._prepared(job, batch.model)
            except Exception as error:
                told.append((job, _failed(job, error)))
        return told + self._scored(prepared, batch, began) if prepared else told

    def _batch(self, first: Job, line: Line) -> Batch:
        """Raises Refused where the first one cannot be done."""
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
            needed = self._cost.seconds(level, pairs + len(job.candidates), len(jobs) + 1)
            within = 0 < needed <= self._batch_seconds and needed < min(left, job.waiting.remaining_seconds(now))
            return within and self._has(model, job.request)

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

    def _prepared(self, job: Job, model: Scorer) -> Any:
        request, candidates = job.request, job.candidates
        self._catalogue.require_features(request.generation, model.feature_view, model.vector_space)
        told = max(model.history_length, TEXT_HISTORY)
        history = request.user.history[:told] if request.user is not None else ()
        ids = tuple(dict.fromkeys((*candidates.item_ids, *request.context, *history)))
        items = self._catalogue.items(request.generation, ids)
        context = [items[id] for id in request.context if id in items]
        return model.prepare(request.user, context, candidates, items, request.sources)

    def _scored(self, prepared: Mapping[Job, Any], batch: Batch, began: float) -> list[tuple[Job, Answer]]:
        model, ready = batch.model, self._clock()
        try:
            scores = model.run_all(list(prepared.values()), batch.level)
        except Exception as error:
            if len(prepared) == 1:
                [job] = prepared
                return [(job, _failed(job, error))]
            # One of them must not take the others with it.
            alone = [self._scored({job: ready_for}, batch, self._clock()) for job, ready_for in prepared.items()]
            return [answer for answers in alone for answer in answers]
        done = self._clock()
        encode = min(model.encode_seconds, done - ready)
        stages = ready - began, encode, done - ready - encode
        pairs = sum(len(job.candidates) for job in prepared)
        self._cost.learn(batch.level, pairs, done - began, len(prepared))
        self._metrics.scored(pairs, [job.waiting.waited_seconds(began) for job in prepared], stages)
        for kind, outcome, texts in model.needed():
            self._metrics.needed(kind, outcome, texts)
        features_ms, encode_ms, score_ms = (seconds * 1000 for seconds in stages)
        return [
            (
                job,
                RankReply(
                    request_id=job.request.request_id,
                    model=model.version,
                    level=batch.level,
                    best=batch.best,
                    scores=np.ascontiguousarray(one.final, "<f4").tobytes(),
                    queue_ms=job.waiting.waited_seconds(began) * 1000,
                    features_ms=features_ms,
                    encode_ms=encode_ms,
                    score_ms=score_ms,
                ),
            )
            for job, one in zip(prepared, scores, strict=True)
        ]


def _failed(job: Job, error: Exception) -> RankError:
    """What a request is told; an error that nobody foresaw must not end the process."""
    request = job.request
    if isinstance(error, NoGeneration):
        return RankError(request_id=request.request_id, code="other_generation", detail=str(error))
    if isinstance(error, StoreUnreachable | CorruptValue):
        return RankError(request_id=request.request_id, code="internal", detail=str(error))
    log.error(
        "scoring %d candidates of generation %d, trace %s",
        len(job.candidates),
        request.generation,
        request.trace_id,
        extra={"trace_id": request.trace_id},
        exc_info=error,
    )
    return RankError(request_id=request.request_id, code="internal", detail=type(error).__name__)
