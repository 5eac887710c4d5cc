"""Why an answer is not at the best level: in answers, and as a label of rec_shed_total."""

from typing import Literal, get_args

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
