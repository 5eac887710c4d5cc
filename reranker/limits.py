"""What a served model may hold in memory besides itself."""

from typing import NamedTuple

from reranker.depth import LEVELS, LevelName


class Limits(NamedTuple):
    """Pairs in one forward pass, tokens of items' states that no slab has, queries whose keys and values are kept, and
    the levels that it is to score at: items' states are held at their depths alone."""

    batch_pairs: int = 64
    annex_tokens: int = 400_000
    known_queries: int = 256
    levels: tuple[LevelName, ...] = LEVELS
