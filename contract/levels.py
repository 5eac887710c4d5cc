"""What a request is answered with, and why it was not the first level: in answers, and as labels of metrics."""

from typing import Literal, get_args

ModelLevel = Literal["full", "fast"]
Level = Literal[ModelLevel, "precomputed", "popular"]
MODEL_LEVELS: tuple[ModelLevel, ...] = get_args(ModelLevel)
LEVELS: tuple[Level, ...] = get_args(Level)

Reason = Literal[
    "no_query",  # neither user nor item was named
    "unknown_user",
    "unknown_item",
    "unknown_query",  # both were named, the generation knows neither
    "no_candidates",  # filter and exclusions left nothing to rank
    "no_model",  # none is promoted
    "ranker_unavailable",  # no connection to it, or it is going or gone, or it stopped answering
    "ranker_busy",  # as many rank requests are open as may be
    "ranker_timeout",
    "ranker_no_model",  # it has not loaded one yet
    "ranker_other_model",
    "ranker_other_generation",
    "ranker_error",
    "over_budget",  # it could not be done in the time left
    "store_unreachable",
    "no_generation",  # the pointer names none, or one that is gone
    "corrupt_value",
]
REASONS: tuple[Reason, ...] = get_args(Reason)
