"""All rankers on one bench: measured on the test queries of one task after another."""

from collections.abc import Mapping, Sequence

from contract.errors import BadInput
from contract.scenario import Task
from jobs.model.baselines.registry import SCORERS, Known, Ranker
from jobs.model.calibration import Pairs, Scores, calibration
from jobs.model.comparison import compared
from jobs.model.dataset import Query, read_queries
from jobs.model.evaluation import ORDER, STUDENT, Measured
from jobs.model.per_query import PerQuery
from jobs.model.quality import Rankings
from jobs.model.rankers import (
    Scored,
    at_level,
    candidate_order,
    flat_share,
    popularity,
    ranked,
    scored,
    text_alone,
)
from reranker.scoring import Reranker


class Bench:
    """A model with its baselines. `depth`: how many first candidates a network scores."""

    def __init__(
        self, known: Known, models: Mapping[str, Reranker], baselines: Mapping[str, Ranker], depth: int
    ) -> None:
        self._known = known
        self._models = models
        self._baselines = baselines
        self._depth = depth

    def has(self, task: Task) -> bool:
        """Whether the test period has a query of `task` with a taken candidate; says so where it has none."""
        if _tellable(self._queries("test", task), self._depth):
            return True
        print(f"evaluate: no test query of {task} has a taken item among its first candidates: it is left out")
        return False

    def measure(self, task: Task) -> tuple[Measured, list[float], PerQuery]:
        """What was found, the student's milliseconds of each query, and the figures of single queries.

        Raises BadInput where no query has a taken candidate, or where a score is no number. A model that gives all
        candidates one score is measured all the same, and told in `flat`: the gate refuses it.
        """
        queries, seed = self._queries("test", task), self._known.settings.night.seed
        if not _tellable(queries, self._depth):
            raise BadInput(
                f"none of {len(queries)} test queries of task {task} has a taken item among its first {self._depth} "
                "candidates: no ranker can be told from another. Import more events, or raise "
                "PACE_GATEWAY__RERANK_DEPTH"
            )
        networks = self._networks(queries, "")
        scores = self._scores(queries, networks)
        flat = {name: flat_share(values) for name, values in scores.items()}
        rankings: dict[str, Rankings] = {
            "popularity": popularity(queries, self._known.scenario.repeats),
            ORDER: candidate_order(queries),
            **{name: rank(self._known, queries) for name, rank in self._baselines.items()},
        }
        for name, network in networks.items():
            rankings[name] = ranked(queries, network.final)
            rankings[text_alone(name)] = ranked(queries, network.text)
        rows, parts, differences, single = compared(queries, rankings, self._known.past, seed)
        fitted = self._fitted_on() if task == self._known.scenario.task else {}
        curves = {
            name: calibration(fitted[name], Pairs.of(queries, scores[name]), seed) for name in scores if name in fitted
        }
        found = Measured(
            task=task,
            queries=len(queries),
            rankers=rows,
            segments=parts,
            differences=differences,
            calibration={name: curve for name, curve in curves.items() if curve is not None},
            flat=flat,
        )
        return found, networks[STUDENT].milliseconds, single

    def _queries(self, split: str, task: Task) -> list[Query]:
        known, training = self._known, self._known.settings.training
        test = split == "test"
        limit = training.test_queries if test else training.validation_queries
        needed = test and task == known.scenario.task
        seed, most = known.settings.night.seed, training.candidates
        return read_queries(known.lake, known.day, split, task, limit, seed, most, hit=False, needed=needed)

    def _fitted_on(self) -> dict[str, Pairs]:
        """The scored pairs of the validation period, by ranker."""
        queries = self._queries("validation", self._known.scenario.task)
        networks = self._networks(queries, ", validation")
        return {name: Pairs.of(queries, scores) for name, scores in self._scores(queries, networks).items()}

    def _networks(self, queries: Sequence[Query], when: str) -> dict[str, Scored]:
        """Every model's scores, and those of its lower levels under names of their own."""
        return {
            at_level(name, level): scored(queries, model, self._depth, f"{at_level(name, level)}{when}", level)
            for name, model in self._models.items()
            for level in model.levels
        }

    def _scores(self, queries: Sequence[Query], networks: Mapping[str, Scored]) -> dict[str, Scores]:
        trees = {name: fit(self._known) for name, fit in SCORERS.items() if name in self._baselines}
        return {
            **{name: network.final for name, network in networks.items()},
            **{
                name: {query.query_id: tree.scores(query)[: self._depth] for query in queries}
                for name, tree in trees.items()
            },
        }


def _tellable(queries: Sequence[Query], depth: int) -> bool:
    return any(query.hits[:depth].any() for query in queries)
