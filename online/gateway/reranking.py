"""One call to the ranker for the first candidates of a query."""

import math
from typing import NamedTuple

import numpy as np

from contract.codec import CandidateList, encode_candidates
from contract.levels import MODEL_LEVELS, ModelLevel
from contract.records import Pointer, UserRecord
from online.gateway.ranker_client import Question, RankingFailed
from online.gateway.ranker_pool import RankerPool
from online.gateway.stages import RequestClock

# Left of the budget for the slate, the JSON and a busy machine, once the scores are there or are not.
RESERVE_SECONDS = 0.005
RESERVE_SHARE = 0.05
# No answer took eleven days: what says so measured nothing.
MOST_MS = 1e9


class ModelScores(NamedTuple):
    """n scores, the version of the model that gave them, the level it gave them at, and whether that is the
    best one it may be asked for."""

    scores: list[float]
    model: str
    level: ModelLevel
    best: bool


def model_scores(
    ranker: RankerPool,
    pointer: Pointer,
    user: UserRecord | None,
    context: tuple[str, ...],
    candidates: CandidateList,
    sources: tuple[str, ...],
    clock: RequestClock,
) -> ModelScores:
    """The ranker's scores of `candidates`.

    While a promoted model is still loading the ranker answers with the one before. The times that the
    ranker measured go to `clock`. Raises RankingFailed.
    """
    budget = clock.remaining_seconds() - max(RESERVE_SECONDS, RESERVE_SHARE * clock.budget_seconds)
    if budget <= 0:
        raise RankingFailed("over_budget")
    listed = encode_candidates(candidates)
    asked = Question(pointer.generation, pointer.model, user, context, listed, sources, clock.trace_id)
    try:
        reply = ranker.rank(asked, budget)
    except RankingFailed:
        clock.lap("transfer")
        raise
    times = reply.queue_ms, reply.features_ms, reply.encode_ms, reply.score_ms
    if not all(0 <= spent < MOST_MS for spent in times):
        clock.lap("transfer")
        raise RankingFailed("ranker_error", f"model {reply.model} took times that are none: {times}")
    clock.ranked(*[int(spent * 1000 + 0.5) for spent in times])
    if len(reply.scores) != 4 * len(candidates):
        raise RankingFailed("ranker_error", f"{len(reply.scores) / 4:g} scores for {len(candidates)} candidates")
    scores = np.frombuffer(reply.scores, "<f4").tolist()
    if not all(map(math.isfinite, scores)):
        raise RankingFailed("ranker_error", f"model {reply.model} gave scores that are no numbers")
    if reply.level not in MODEL_LEVELS:
        raise RankingFailed("ranker_error", f"level {reply.level!r} is none of {', '.join(MODEL_LEVELS)}")
    return ModelScores(scores, reply.model, reply.level, reply.best)
