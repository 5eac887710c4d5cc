"""What a served model may hold in memory besides itself."""

from typing import NamedTuple


class Limits(NamedTuple):
    """Pairs in one forward pass, tokens of items' states that no slab has, and queries whose keys and values are
    kept."""

    batch_pairs: int = 64
    annex_tokens: int = 400_000
    known_queries: int = 256
