"""Every baseline by its name, fitted on what was known before the queries' cut."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from contract.errors import BadInput
from contract.scenario import Scenario
from contract.settings import Settings
from jobs.lake import Lake
from jobs.model.baselines import by_ids
from jobs.model.baselines.interactions import Interactions
from jobs.model.baselines.lambdamart import LambdaMart
from jobs.model.baselines.sasrec import SasRec
from jobs.model.baselines.zero_shot import zero_shot
from jobs.model.dataset import Query, read_queries
from jobs.model.quality import Rankings
from reranker.embedding import embed_texts
from reranker.encoding import base_model_directory


@dataclass(frozen=True, eq=False)
class Known:
    """What a baseline may learn from: all of it older than the test period.

    `scenario.task` is what the training queries ask; one that was learned from them ranks the queries of any task.
    """

    lake: Lake
    day: str
    scenario: Scenario
    settings: Settings

    @cached_property
    def past(self) -> Interactions:
        return Interactions.read(self.lake, self.day)

    @cached_property
    def train(self) -> list[Query]:
        return self._read("train", self.settings.training.sample_queries, hit=True)

    @cached_property
    def validation(self) -> list[Query]:
        return self._read("validation", self.settings.training.test_queries, hit=False)

    @cached_property
    def without_text(self) -> LambdaMart:
        return self._lambdamart(text=False)

    @cached_property
    def with_text(self) -> LambdaMart:
        return self._lambdamart(text=True)

    @cached_property
    def sasrec(self) -> SasRec:
        return SasRec(self.past, self.settings.night.seed)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32[n, d] by the base model. Raises BadInput where it does not load."""
        training = self.settings.training
        return embed_texts(base_model_directory(training.base_model), texts, training.threads or None)

    def _lambdamart(self, text: bool) -> LambdaMart:
        seed, threads = self.settings.night.seed, self.settings.training.threads
        return LambdaMart.fit(self.train, self.validation, seed, text, threads)

    def _read(self, split: str, limit: int, hit: bool) -> list[Query]:
        seed, most = self.settings.night.seed, self.settings.training.candidates
        return read_queries(self.lake, self.day, split, self.scenario.task, limit, seed, most, hit=hit, needed=hit)


Ranker = Callable[[Known, Sequence[Query]], Rankings]


# Those whose scores may be compared within a list, as a network's may.
SCORERS: dict[str, Callable[[Known], LambdaMart]] = {
    "LambdaMART without text": lambda known: known.without_text,
    "LambdaMART": lambda known: known.with_text,
}

BASELINES: dict[str, Ranker] = {
    "item-kNN": lambda known, queries: by_ids.item_knn(known.past, queries, known.scenario.repeats),
    "ALS": lambda known, queries: by_ids.als(known.past, queries, known.settings.night.seed, known.scenario.repeats),
    "session-kNN": lambda known, queries: by_ids.session_knn(known.past, queries, known.scenario.repeats),
    "SASRec": lambda known, queries: known.sasrec.rankings(queries),
    "zero-shot cosine": lambda known, queries: zero_shot(known.embed, queries, known.scenario.text),
    "LambdaMART without text": lambda known, queries: known.without_text.rankings(queries),
    "LambdaMART": lambda known, queries: known.with_text.rankings(queries),
}


def chosen_baselines(names: Sequence[str]) -> dict[str, Ranker]:
    """The baselines of these names, `all` for every one. Raises BadInput for another name."""
    if "all" in names:
        return BASELINES
    for name in names:
        if name not in BASELINES:
            raise BadInput(f"no baseline {name!r}; there are {', '.join(BASELINES)}, and `all`")
    return {name: BASELINES[name] for name in names}
