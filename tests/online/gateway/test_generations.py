"""What a worker remembers of generations, when others read at the same time and when numbers come again."""

from collections.abc import Sequence

import numpy as np
import pytest

from contract.codec import CandidateList
from contract.errors import NoGeneration
from contract.records import GenerationMeta
from contract.store.reader import QueryData
from online.gateway import generations as module
from online.gateway.generations import Generations


class Store:
    """Every segment but `none` has a list of one item, named after it and the generation's edition."""

    def __init__(self) -> None:
        self.edition = "a"
        self.reads: list[tuple[str, ...]] = []
        self.while_reading = lambda: None

    def meta(self, generation: int) -> GenerationMeta:
        if generation > 9:
            raise NoGeneration("gone")
        return GenerationMeta(generation, 0.0, "2026-11-30", ("one",), (1.0,), {}, "", "3")

    def query(self, generation: int, user: str | None, items: Sequence[str], segments: Sequence[str]) -> QueryData:
        self.reads.append(tuple(segments))
        self.while_reading()
        lists = {name: self._list(f"{name}-{generation}{self.edition}") for name in segments if name != "none"}
        return QueryData(None, None, {}, lists)

    def items(self, generation: int, ids: Sequence[str]) -> dict[str, object]:
        return {}

    @staticmethod
    def _list(item: str) -> CandidateList:
        return CandidateList.of([(item, 0, (1.0,))], 1)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def generations(store) -> Generations:
    return Generations(store, 10)


def test_lists_are_read_and_summed_once(store, generations) -> None:
    first = generations.popular_scores(1, ("x", "none", "all"))
    again = generations.popular_scores(1, ("x", "none", "all"))

    assert again is first
    assert list(first.rows) == ["x-1a", "all-1a"]
    assert np.allclose(first.scores, 2**-0.5)  # two lists share their say
    assert store.reads == [("x", "none", "all")]


def test_more_lists_than_come_together_again_are_not_kept_together(store, generations) -> None:
    many = tuple("abcde")

    assert generations.popular_scores(1, many) is not generations.popular_scores(1, many)
    assert store.reads == [many]


def test_what_another_thread_clears_meanwhile_is_still_in_the_answer(store, generations, monkeypatch) -> None:
    monkeypatch.setattr(module, "MAX_SEGMENTS", 3)
    generations.popular(1, ["all", "y"])
    store.while_reading = lambda: generations._of(1).popular.clear()

    assert list(generations.popular_scores(1, ("x", "all")).rows) == ["x-1a", "all-1a"]
    assert list(generations.popular_scores(1, ("x", "all")).rows) == ["x-1a", "all-1a"]


def test_sums_go_with_their_generation(store, generations) -> None:
    assert list(generations.popular_scores(1, ("all",)).rows) == ["all-1a"]
    generations.meta(2)
    generations.meta(3)
    store.edition = "b"  # Redis was lost, and numbers begin anew

    assert list(generations.popular_scores(1, ("all",)).rows) == ["all-1b"]


def test_a_generation_that_is_gone_is_told_and_asked_for_again(generations) -> None:
    for _ in range(2):
        with pytest.raises(NoGeneration):
            generations.popular_scores(10, ("all",))
