"""One rank request, from its frame to scores; the socket and the queue are server.py's."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from contract.codec import CandidateList, decode_candidates
from contract.errors import BadInput, CorruptValue, NoGeneration, StoreUnreachable
from contract.features import TEXT_HISTORY
from contract.frames import ErrorCode, RankError, RankReply, RankRequest, decode_request
from online.ranker.budget import LevelCosts, Waiting
from online.ranker.catalogue import Catalogue
from online.ranker.metrics import RankerMetrics
from online.ranker.models import ModelWatch, Scorer

log = logging.getLogger(__name__)


class Refused(Exception):
    """A request that gets no scores; becomes an error frame."""

    def __init__(self, code: ErrorCode, detail: str, request_id: int = 0) -> None:
        super().__init__(detail)
        self.code = code
        self.request_id = request_id

    def frame(self) -> RankError:
        return RankError(request_id=self.request_id, code=self.code, detail=str(self))


@dataclass(frozen=True, eq=False)
class Job:
    """A request that was understood, with its candidates decoded."""

    request: RankRequest
    candidates: CandidateList
    waiting: Waiting


def read_job(body: bytes, arrived: float) -> Job:
    """Raises Refused for a frame that cannot be understood."""
    try:
        request = decode_request(body)
    except BadInput as error:
        raise Refused("bad_frame", str(error)) from None
    try:
        candidates = decode_candidates(request.candidates)
    except CorruptValue as error:
        raise Refused("bad_frame", str(error), request.request_id) from None
    return Job(request, candidates, Waiting(request.budget_ms, arrived))


class Scoring:
    """Scores jobs with the model that is served, for one thread."""

    def __init__(
        self,
        watch: ModelWatch,
        catalogue: Catalogue,
        cost: LevelCosts,
        metrics: RankerMetrics,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._watch = watch
        self._catalogue = catalogue
        self._cost = cost
        self._metrics = metrics
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

    def answer(self, job: Job, waiting_pairs: int = 0, waiting: int = 0) -> RankReply | RankError:
        """Scores, or an error frame; never raises. `waiting` requests of `waiting_pairs` pairs come after it."""
        request = job.request
        try:
            return self._scored(job, waiting_pairs, waiting)
        except Refused as refused:
            return refused.frame()
        except NoGeneration as error:
            return RankError(request_id=request.request_id, code="other_generation", detail=str(error))
        except (StoreUnreachable, CorruptValue) as error:
            return RankError(request_id=request.request_id, code="internal", detail=str(error))
        except Exception as error:  # one request must not end the process
            log.exception(
                "scoring %d candidates of generation %d, trace %s",
                len(job.candidates),
                request.generation,
                request.trace_id,
                extra={"trace_id": request.trace_id},
            )
            return RankError(request_id=request.request_id, code="internal", detail=type(error).__name__)

    def _scored(self, job: Job, waiting_pairs: int, waiting: int) -> RankReply:
        request, candidates = job.request, job.candidates
        model = self.model_for(request)
        began = self._clock()
        waited = job.waiting.waited_seconds(began)
        levels = self._cost.served(model.levels)
        left = job.waiting.remaining_seconds(began)
        level = self._cost.within(levels, len(candidates), waiting_pairs, waiting, left)
        self._cost.passed_over(levels, level)
        if level is None:
            needed = self._cost.least_seconds(levels, len(candidates))
            spent = f"{waited * 1000:.1f} ms in the queue, {needed * 1000:.1f} ms to score"
            raise Refused("over_budget", f"{spent}, {request.budget_ms:.1f} ms given", request.request_id)
        self._catalogue.require_features(request.generation, model.feature_view, model.vector_space)
        told = max(model.history_length, TEXT_HISTORY)
        history = request.user.history[:told] if request.user is not None else ()
        ids = tuple(dict.fromkeys((*candidates.item_ids, *request.context, *history)))
        items = self._catalogue.items(request.generation, ids)
        context = [items[id] for id in request.context if id in items]
        prepared = model.prepare(request.user, context, candidates, items, request.sources)
        ready = self._clock()
        scores = model.run(prepared, level).final
        done = self._clock()
        self._cost.learn(level, len(candidates), done - began)
        encode = min(model.encode_seconds, done - ready)
        self._metrics.scored(len(candidates), waited, ready - began, encode, done - ready - encode)
        for kind, outcome, texts in model.needed():
            self._metrics.needed(kind, outcome, texts)
        return RankReply(
            request_id=request.request_id,
            model=model.version,
            level=level,
            best=level == levels[0],
            scores=np.ascontiguousarray(scores, "<f4").tobytes(),
            queue_ms=waited * 1000,
            features_ms=(ready - began) * 1000,
            encode_ms=encode * 1000,
            score_ms=(done - ready - encode) * 1000,
        )
