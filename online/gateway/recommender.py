"""One recommend call, from the pointer to the slate: docs/architecture.md tells the same story."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from contract.codec import CandidateList
from contract.errors import CorruptValue, NoGeneration, StoreUnreachable
from contract.levels import Level, Reason
from contract.merge import merge_query, never_proposed
from contract.records import ItemRecord, Pointer
from contract.settings import Gateway
from contract.store.answers import AnswerCache
from contract.store.reader import QueryData, Reader
from online.gateway.answers import Explanation, Slate, decode_slate, encode_slate, material
from online.gateway.breaker import Breaker
from online.gateway.generations import EVERYONE, Generations
from online.gateway.metrics import GatewayMetrics
from online.gateway.problems import NothingToServe
from online.gateway.query import RecommendRequest
from online.gateway.ranker_client import RankingFailed
from online.gateway.ranker_pool import RankerPool
from online.gateway.reranking import model_scores
from online.gateway.slate import Kept, in_model_order, keep, slate_items, without
from online.gateway.stages import OutOfTime, RequestClock
from online.gateway.standby import Pulse

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recommender:
    """Answers from one generation and says from which. Nothing below it raises for a store or ranker that fails."""

    reader: Reader
    cache: AnswerCache
    generations: Generations
    ranker: RankerPool
    pulse: Pulse
    store_breaker: Breaker
    metrics: GatewayMetrics
    limits: Gateway
    store_timeout_seconds: float

    def recommend(self, request: RecommendRequest, clock: RequestClock) -> tuple[Slate, bool]:
        """A slate, and whether it came from the cache. Raises NothingToServe if no generation was ever seen."""
        if self.store_breaker.is_open:
            return self._from_memory(request, "store_unreachable", clock), False
        try:
            answer = self._from_store(request, clock)
        except StoreUnreachable as error:
            self.store_breaker.failed()
            log.debug("answered from memory: %s", error)
            reason: Reason = "store_unreachable"
        except NoGeneration:
            reason = "no_generation"
        except CorruptValue as error:
            log.error("answered from memory: %s, trace %s", error, clock.trace_id, extra={"trace_id": clock.trace_id})
            reason = "corrupt_value"
        except OutOfTime:
            reason = "over_budget"
        else:
            self.store_breaker.succeeded()
            return answer
        clock.lap("candidates")
        return self._from_memory(request, reason, clock), False

    def _from_store(self, request: RecommendRequest, clock: RequestClock) -> tuple[Slate, bool]:
        context = request.context
        if self.limits.cache_ttl_seconds == 0:
            pointer, data = self.reader.live_query(request.user_id, context)
            _require_generation(pointer)
            return self._computed(pointer, data, request, clock), False
        pointer, raw = self.reader.live_answer(lambda pointer: material(pointer, request))
        _require_generation(pointer)
        slate = decode_slate(raw) if raw is not None else None
        self.metrics.cache_looked_up(hit=slate is not None)
        if slate is not None:
            clock.lap("candidates")
            return slate, True
        clock.require(self.store_timeout_seconds)
        data = self.reader.query(pointer.generation, request.user_id, context)
        slate = self._computed(pointer, data, request, clock)
        if slate.may_be_cached(pointer) and clock.remaining_seconds() > self.store_timeout_seconds:
            try:
                self.cache.put(material(pointer, request), encode_slate(slate))
            except StoreUnreachable as error:  # the answer is there all the same
                self.store_breaker.failed()
                log.debug("not cached: %s", error)
        return slate, False

    def _computed(self, pointer: Pointer, data: QueryData, request: RecommendRequest, clock: RequestClock) -> Slate:
        generation = pointer.generation
        context = request.context
        clock.require(self.store_timeout_seconds)
        meta = self.generations.meta(generation)
        known = self.generations.items(generation, context) if context else {}
        clock.require(self.store_timeout_seconds)
        history = data.user.history if data.user is not None else ()
        candidates = merge_query(
            data.user_candidates,
            [data.item_candidates[id] for id in context if id in data.item_candidates],
            self.generations.popular_scores(generation, _segments(data, context, known)),
            meta.weights,
            {*request.exclude, *never_proposed(context, history, meta.repeats)},
            self.limits.merged_candidates,
        )
        clock.lap("candidates")
        stranger = _stranger(request, data, known)
        asks_model = bool(pointer.model) and stranger is None
        enough = max(request.n, self.limits.rerank_depth) if asks_model else request.n
        clock.require(self.store_timeout_seconds)
        kept = keep(candidates, request.filter, enough, lambda ids: self.generations.items(generation, ids))
        clock.lap("rules")

        level: Level = "precomputed" if data.user_candidates is not None or data.item_candidates else "popular"
        reason: Reason | None = stranger or (None if pointer.model else "no_model")
        model = pointer.model
        positions = kept.positions
        scores: dict[int, float] | None = None
        if not positions:
            reason = reason or "no_candidates"
        elif asks_model:
            scored = positions[: self.limits.rerank_depth]
            try:
                values, model, level, best = model_scores(
                    self.ranker, pointer, data.user, context, candidates.take(scored), meta.sources, clock
                )
                reason = None if best else "over_budget"
                scores = dict(zip(scored, values, strict=True))
                positions = in_model_order(positions, values)
                clock.lap("rules")
            except RankingFailed as error:
                log.debug("not re-ranked: %s", error)
                reason = error.reason
        explanation = Explanation(len(candidates), len(kept.positions), len(scores or ()))
        return Slate.of(
            pointer,
            model,
            level,
            reason,
            slate_items(candidates, positions[: request.n], kept.records, meta.sources, scores, request.explain),
            explanation if request.explain else None,
        )

    def _from_memory(self, request: RecommendRequest, reason: Reason, clock: RequestClock) -> Slate:
        standby = self.pulse.standby
        if standby is None:
            raise NothingToServe(
                "no generation has been seen since the start: is Redis up, and has candidates_daily published?"
            )
        candidates: CandidateList = without(standby.popular, {*request.exclude, *request.context})
        kept: Kept = keep(candidates, request.filter, request.n, lambda ids: _of(standby.items, ids))
        clock.lap("rules")
        items = slate_items(candidates, kept.positions, kept.records, standby.sources, None, request.explain)
        explanation = Explanation(len(candidates), len(kept.positions), 0) if request.explain else None
        return Slate.of(standby.pointer, standby.pointer.model, "popular", reason, items, explanation)


def _require_generation(pointer: Pointer) -> None:
    """Raises NoGeneration."""
    if not pointer.generation:
        raise NoGeneration("nothing is published")


def _segments(data: QueryData, context: tuple[str, ...], known: dict[str, ItemRecord]) -> tuple[str, ...]:
    """The context's, the user's, and everyone's: each once."""
    ofs = [known[id].segment for id in context if id in known]
    return tuple(dict.fromkeys([*ofs, *([data.user.segment] if data.user is not None else []), EVERYONE]))


def _stranger(request: RecommendRequest, data: QueryData, known: dict[str, ItemRecord]) -> Reason | None:
    """Why a model has nothing to go by, if it has not."""
    if known or data.user is not None or data.user_candidates is not None or data.item_candidates:
        return None
    if request.context:
        return "unknown_query" if request.user_id is not None else "unknown_item"
    return "unknown_user" if request.user_id is not None else "no_query"


def _of(records: dict[str, ItemRecord], ids: Sequence[str]) -> dict[str, ItemRecord]:
    return {id: records[id] for id in ids if id in records}
