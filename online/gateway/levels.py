"""Which reasons last, and what a ranker's errors are as reasons."""

from contract.frames import ErrorCode
from contract.levels import Reason

# Answers that the same generation and model would give again; all others pass by and are not cached.
LASTING: frozenset[Reason | None] = frozenset(
    {None, "no_query", "unknown_user", "unknown_item", "unknown_query", "no_candidates", "no_model"}
)

OF_RANKER: dict[ErrorCode, Reason] = {
    "bad_frame": "ranker_error",
    "no_model": "ranker_no_model",
    "other_model": "ranker_other_model",
    "other_generation": "ranker_other_generation",
    "over_budget": "over_budget",
    "stopping": "ranker_unavailable",
    "internal": "ranker_error",
}
