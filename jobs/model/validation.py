"""How good a network in training is: NDCG@10 of both of its scores on a sample of the validation period."""

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contract.scenario import Task
from contract.settings import Training
from jobs.lake import Lake
from jobs.model.dataset import Query, as_example, read_queries
from jobs.model.quality import measure
from jobs.model.rankers import reordered
from reranker.boosting import Trees
from reranker.encoding import TextEncoder
from reranker.examples import Example
from reranker.network import CrossEncoder
from reranker.training import TrainingPlan, score_examples


class Ndcg(NamedTuple):
    """float64[queries] each: NDCG@10 of the final and of the text score."""

    final: NDArray[np.float64]
    text: NDArray[np.float64]


class Validation:
    """The same `training.validation_queries` from one validation to the next, read at the first."""

    def __init__(
        self,
        lake: Lake,
        day: str,
        training: Training,
        task: Task,
        encoder: TextEncoder,
        plan: TrainingPlan,
        trees: Trees | None,
    ) -> None:
        self._lake, self._day, self._training, self._task = lake, day, training, task
        self._encoder, self._plan, self._trees = encoder, plan, trees

    def ndcg10(self, network: CrossEncoder) -> Ndcg:
        """Every query counts, also one whose candidates hold no label."""
        scores = score_examples(network, self._examples, self._encoder, self._plan, "validation")
        return Ndcg(*(self._measured([found[:, column] for found in scores]) for column in (0, 1)))

    def _measured(self, scores: list[NDArray[np.float32]]) -> NDArray[np.float64]:
        pairs = zip(self._queries, scores, strict=True)
        ranked = {query.query_id: reordered(query, found) for query, found in pairs}
        return measure(ranked, {query.query_id: query.labels for query in self._queries}).ndcg10

    @cached_property
    def _queries(self) -> list[Query]:
        count, candidates = self._training.validation_queries, self._training.candidates
        return read_queries(
            self._lake, self._day, "validation", self._task, count, self._plan.seed, candidates, hit=False, needed=False
        )

    @cached_property
    def _examples(self) -> list[Example]:
        return [as_example(query, self._encoder, self._trees) for query in self._queries]
