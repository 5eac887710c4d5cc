"""What a model is compared with, query by query: the champion, and LambdaMART without text."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from contract.errors import ArtifactMismatch, BadInput
from contract.scenario import Scenario
from contract.settings import Settings
from jobs.lake import Lake
from jobs.model.baselines.registry import BASELINES, Known
from jobs.model.dataset import Query, read_queries
from jobs.model.evaluation import ORDER, STUDENT, Evaluation, read_evaluation
from jobs.model.folders import ModelFolders
from jobs.model.per_query import PerQuery, read_per_query
from jobs.model.quality import Rankings, measure
from jobs.model.rankers import candidate_order, ranked, scored
from jobs.vector_space import vector_space
from reranker.limits import Limits
from reranker.loading import load_reranker

BASELINE = "LambdaMART without text"

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TestQueries:
    """The queries of an evaluation, with the figures that it found; read from the lake only where one is missing."""

    __test__ = False  # no test, whatever pytest thinks of its name

    lake: Lake
    evaluation: Evaluation
    single: PerQuery
    scenario: Scenario
    settings: Settings

    @cached_property
    def queries(self) -> list[Query]:
        """Raises BadInput where the lake's queries are no longer those of the evaluation."""
        found, training = self.evaluation, self.settings.training
        queries = read_queries(
            self.lake, found.date, "test", found.task, len(self.single.query_ids), self.settings.night.seed,
            training.candidates, hit=False,
        )  # fmt: skip
        if tuple(query.query_id for query in queries) != self.single.query_ids or not np.array_equal(
            self.measured(candidate_order(queries), queries), self.single.ndcg10[ORDER]
        ):
            raise BadInput(
                f"the test queries of {found.date} are not those that model {found.version} was evaluated on: other "
                "training pairs, or other settings (night.seed, training.candidates); run `python -m jobs evaluate`"
            )
        return queries

    def measured(self, rankings: Rankings, queries: list[Query]) -> Values:
        """NDCG@10 in the order of the queries."""
        return measure(rankings, {query.query_id: query.labels for query in queries}).ndcg10

    def of_champion(self, folders: ModelFolders, version: str) -> tuple[str, Values, str, str]:
        """(name, NDCG@10, digest, note) of the model `version`, or of the candidate order where it cannot serve.

        Its own evaluation is taken where that was made on the same queries; else it is scored here.
        """
        order = self.single.ndcg10[ORDER]
        if not version:
            return ORDER, order, "", "no model is live"
        name = f"champion {version}"
        if version == self.evaluation.version:
            return name, self.single.ndcg10[STUDENT], self.evaluation.digest, "it is the live model itself"
        options = self.settings.ranker
        try:
            champion = load_reranker(
                folders.student(version), options.device, options.threads, Limits(options.batch_pairs)
            )
        except (ArtifactMismatch, BadInput) as error:
            return ORDER, order, "", f"the live model {version} does not load here, so no ranker serves it: {error}"
        if champion.manifest.vector_space != vector_space(self.lake, "training_items", self.evaluation.date):
            raise BadInput(
                f"the live model {version} learned from item vectors of another base model than those of "
                f"{self.evaluation.date}, so it cannot be measured beside model {self.evaluation.version}. Compare "
                "their evaluations, then run "
                f"`python -m jobs promote --version {self.evaluation.version} --force REASON`"
            )
        digest = champion.manifest.digest
        values = self._evaluated(folders, version, digest)
        if values is None:
            scores = scored(self.queries, champion, self.evaluation.depth, name).final
            values = self.measured(ranked(self.queries, scores), self.queries)
        return name, values, digest, ""

    def of_baseline(self) -> Values:
        """Raises BadInput where LambdaMART has nothing to learn from."""
        if BASELINE in self.single.ndcg10:
            return self.single.ndcg10[BASELINE]
        known = Known(self.lake, self.evaluation.date, self.scenario, self.settings)
        return self.measured(BASELINES[BASELINE](known, self.queries), self.queries)

    def _evaluated(self, folders: ModelFolders, version: str, digest: str) -> Values | None:
        """What the champion's evaluation found, if that was of these very queries and candidates."""
        try:
            found = read_evaluation(folders.evaluation(version))
            single = read_per_query(folders.per_query(version))
        except BadInput:
            return None
        ours = self.evaluation
        alike = (found.digest, found.date, found.task, found.depth) == (digest, ours.date, ours.task, ours.depth)
        # Equal figures of the candidate order: the same candidates and labels, even if the pairs were made anew.
        same = alike and single.query_ids == self.single.query_ids
        if same and np.array_equal(single.ndcg10.get(ORDER, ()), self.single.ndcg10[ORDER]):
            return single.ndcg10.get(STUDENT)
        return None
