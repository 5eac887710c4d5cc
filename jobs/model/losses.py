"""What a student lost of its teacher: NDCG@10 of both scores over the same validation queries, in pairs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.model.dataset import Query, as_example
from jobs.model.quality import measure
from jobs.model.rankers import reordered
from reranker.boosting import Trees
from reranker.cost import Lengths
from reranker.encoding import TextEncoder
from reranker.examples import Example
from reranker.manifest import Loss
from reranker.network import CrossEncoder
from reranker.training import TrainingPlan, score_examples

RESAMPLES = 2000


class ScoreQuality(NamedTuple):
    """float64[queries] each: NDCG@10 by the final score, and by the text score alone."""

    final: NDArray[np.float64]
    text: NDArray[np.float64]


class Judge:
    """Scores networks on the same queries as serving would: the first `depth` candidates are re-ranked."""

    def __init__(
        self, queries: Sequence[Query], encoder: TextEncoder, depth: int, plan: TrainingPlan, trees: Trees | None
    ) -> None:
        self.queries = queries
        self._encoder, self._plan = encoder, plan
        self._examples = [_first(as_example(query, encoder, trees), depth) for query in queries]
        self._labels = {query.query_id: query.labels for query in queries}

    def quality(self, network: CrossEncoder, label: str) -> ScoreQuality:
        scores = score_examples(network, self._examples, self._encoder, self._plan, label)
        return ScoreQuality(*(self._ndcg10(scores, column) for column in range(2)))

    def typical(self) -> Example:
        """The query of median cost with its candidates: what a latency is measured on."""
        return sorted(self._examples, key=_tokens)[len(self._examples) // 2]

    def lengths(self) -> Lengths:
        """Mean tokens of queries and items, without padding, and mean candidates of a query."""
        asked = [example for example in self._examples if example.items] or [self._examples[0]]
        items = [len(item) + 2 for example in asked for item in example.items]
        return Lengths(
            sum((len(example.query) + 2) * max(1, len(example.items)) for example in asked) / max(1, len(items)),
            sum(items) / max(1, len(items)),
            max(1, len(items)) / len(asked),
        )

    def _ndcg10(self, scores: Sequence[NDArray[np.float32]], column: int) -> NDArray[np.float64]:
        ranked = {q.query_id: reordered(q, found[:, column]) for q, found in zip(self.queries, scores, strict=True)}
        return measure(ranked, self._labels).ndcg10


def relative_loss(teacher: NDArray[np.float64], student: NDArray[np.float64], seed: int) -> Loss:
    """1 - student / teacher of the means, with its 95% bootstrap interval over queries drawn in pairs.

    No interval where there are fewer than two queries; 0 where the teacher itself has nothing to lose.
    """
    if not len(teacher) or teacher.mean() <= 0:
        return Loss(0.0, None, None)
    mean = float(1 - student.mean() / teacher.mean())
    if len(teacher) < 2:
        return Loss(mean, None, None)
    drawn = np.random.default_rng(seed).integers(len(teacher), size=(RESAMPLES, len(teacher)))
    whole, left = teacher[drawn].mean(1), student[drawn].mean(1)
    low, high = np.percentile(1 - left[whole > 0] / whole[whole > 0], (2.5, 97.5))
    return Loss(mean, float(low), float(high))


def _first(example: Example, depth: int) -> Example:
    return example.take(np.arange(min(depth, len(example.items))))


def _tokens(example: Example) -> int:
    """Of all pairs, with the four special ones of each."""
    return sum(len(example.query) + len(item) + 4 for item in example.items)
