"""What every peer answers: the body of a /rerank, as Cohere, Jina and infinity shape it."""

from collections.abc import Sequence
from typing import Any


def answer(scores: Sequence[float], top_n: int | None) -> dict[str, Any]:
    """The `top_n` best documents by score (all of them where it is None), best first."""
    best = sorted(range(len(scores)), key=lambda index: -scores[index])[:top_n]
    return {"results": [{"index": index, "relevance_score": float(scores[index])} for index in best]}
