"""Batches of rank requests to scores."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from contract.errors import CorruptValue, NoGeneration, StoreUnreachable
from contract.features import TEXT_HISTORY
from contract.frames import RankError, RankReply
from online.ranker.batching import Batch, Batcher
from online.ranker.budget import LevelCosts
from online.ranker.catalogue import Catalogue
from online.ranker.line import Job, Line, Refused
from online.ranker.metrics import RankerMetrics
from online.ranker.models import Scorer

log = logging.getLogger(__name__)

Answer = RankReply | RankError


class Scoring:
    """Scores batches of jobs, for one thread."""

    def __init__(
        self,
        batcher: Batcher,
        catalogue: Catalogue,
        cost: LevelCosts,
        metrics: RankerMetrics,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._batcher = batcher
        self._catalogue = catalogue
        self._cost = cost
        self._metrics = metrics
        self._clock = clock

    def answers(self, first: Job, line: Line) -> Iterator[tuple[Job, Answer]]:
        """Scores, or an error frame, for `first` and for whoever is taken from the line with it, each as soon as it is
        known; never raises."""
        try:
            batch = self._batcher.batch(first, line)
        except Refused as refused:
            yield first, refused.frame()
            return
        began = self._clock()
        prepared: dict[Job, Any] = {}
        for job in batch.jobs:
            try:
                prepared[job] = self._prepared(job, batch.model)
            except Exception as error:
                yield job, _failed(job, error)
        if prepared:
            yield from self._scored(prepared, batch, began)

    def _prepared(self, job: Job, model: Scorer) -> Any:
        request, candidates = job.request, job.candidates
        self._catalogue.require_features(request.generation, model.feature_view, model.vector_space)
        told = max(model.history_length, TEXT_HISTORY)
        history = request.user.history[:told] if request.user is not None else ()
        ids = tuple(dict.fromkeys((*candidates.item_ids, *request.context, *history)))
        items = self._catalogue.items(request.generation, ids)
        context = [items[id] for id in request.context if id in items]
        return model.prepare(request.user, context, candidates, items, request.sources)

    def _scored(self, prepared: Mapping[Job, Any], batch: Batch, began: float) -> Iterator[tuple[Job, Answer]]:
        replies: list[tuple[Job, Answer]] = []
        try:
            replies = self._replies(prepared, batch, began)
        except Exception as error:
            if len(prepared) == 1:
                [job] = prepared
                replies = [(job, _failed(job, error))]
        if replies:
            yield from replies
            return
        # One of them must not take the others with it. Outside the handler: there the exception would still hold what
        # the batch had on the device.
        for job, ready in prepared.items():
            now, pairs = self._clock(), len(job.candidates)
            if self._cost.seconds(batch.level, pairs, 1) < job.waiting.remaining_seconds(now):
                yield from self._scored({job: ready}, batch, now)
            else:
                why = f"{job.waiting.waited_seconds(now) * 1000:.1f} ms gone with others, which failed"
                yield job, Refused("over_budget", why, job.request.request_id).frame()

    def _replies(self, prepared: Mapping[Job, Any], batch: Batch, began: float) -> list[tuple[Job, Answer]]:
        model, ready = batch.model, self._clock()
        scores = model.run_all(list(prepared.values()), batch.level)
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
