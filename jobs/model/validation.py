"""How good a network in training is: NDCG@10 of both of its scores on a sample of the validation period."""

from functools import cached_property

from contract.scenario import Task
from contract.settings import Training
from jobs.lake import Lake
from jobs.model.dataset import read_queries
from jobs.model.losses import Judge, ScoreQuality
from reranker.boosting import Trees
from reranker.encoding import TextEncoder
from reranker.network import CrossEncoder
from reranker.training import TrainingPlan


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

    def ndcg10(self, network: CrossEncoder) -> ScoreQuality:
        """Every query counts, also one whose candidates hold no label."""
        return self._judge.quality(network, "validation")

    @cached_property
    def _judge(self) -> Judge:
        count, candidates = self._training.validation_queries, self._training.candidates
        queries = read_queries(
            self._lake, self._day, "validation", self._task, count, self._plan.seed, candidates, hit=False, needed=False
        )
        return Judge(queries, self._encoder, candidates, self._plan, self._trees)
