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
from jobs.model.baselines.zero_shot import zero_shot
from jobs.model.dataset import Query, read_queries
from jobs.model.quality import Rankings
from reranker.embedding import embed_texts
from reranker.encoding import base_model_directory


@dataclass(frozen=True, eq=False)
class Known:
    """What a baseline may learn from: all of it older than the test period."""

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

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32[n, d] by the base model. Raises BadInput where it does not load."""
        training = self.settings.training
        return embed_texts(base_model_directory(training.base_model), texts, training.threads or None)

    def _read(self, split: str, limit: int, hit: bool) -> list[Query]:
        seed, most = self.settings.night.seed, self.settings.training.candidates
        return read_queries(self.lake, self.day, split, self.scenario.task, limit, seed, most, hit=hit, needed=hit)


Ranker = Callable[[Known, Sequence[Query]], Rankings]


def _lambdamart(text: bool) -> Ranker:
    def rank(known: Known, queries: Sequence[Query]) -> Rankings:
        seed, threads = known.settings.night.seed, known.settings.training.threads
        return LambdaMart.fit(known.train, known.validation, seed, text, threads).rankings(queries)

    return rank


BASELINES: dict[str, Ranker] = {
    "item-kNN": lambda known, queries: by_ids.item_knn(known.past, queries, known.scenario.repeats),
    "ALS": lambda known, queries: by_ids.als(known.past, queries, known.settings.night.seed, known.scenario.repeats),
    "session-kNN": lambda known, queries: by_ids.session_knn(known.past, queries, known.scenario.repeats),
    "zero-shot cosine": lambda known, queries: zero_shot(known.embed, queries, known.scenario.text),
    "LambdaMART without text": _lambdamart(text=False),
    "LambdaMART": _lambdamart(text=True),
}


def chosen_baselines(names: Sequence[str]) -> dict[str, Ranker]:
    """The baselines of these names, `all` for every one. Raises BadInput for another name."""
    if "all" in names:
        return BASELINES
    for name in names:
        if name not in BASELINES:
            raise BadInput(f"no baseline {name!r}; there are {', '.join(BASELINES)}, and `all`")
    return {name: BASELINES[name] for name in names}
