"""Item states follow the live generation; what is wrong with them leaves those before at work."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from contract.errors import CorruptValue, NoGeneration, StoreUnreachable
from contract.records import GenerationMeta, Pointer
from contract.states import StateBlock
from online.ranker.metrics import RankerMetrics
from online.ranker.states import RETRY_SECONDS, StateFeed
from tests.contract.test_states import block_of


class Model:
    """Holds the keys of what it is given; takes int8 alone."""

    def __init__(self, version: str = "m1") -> None:
        self.version = version
        self.held: list[bytes] = []

    def hold(self, blocks: Iterable[StateBlock], tokens: int) -> int:
        found = list(blocks)
        if any(block.kind != "int8" for block in found):
            raise ValueError("states of float16")
        self.held = [key for block in found for key in block.keys]
        return tokens * 3


class Scene:
    """Generations that the test publishes, a clock that it turns, and a feed."""

    def __init__(self) -> None:
        self.blocks: dict[int, list[StateBlock]] = {}
        self.broken: Exception | None = None
        self.time, self.reads = 0.0, 0
        self.metrics = RankerMetrics()
        self.feed = StateFeed(self, self.metrics, lambda: self.time)
        self.model = Model()

    def meta(self, generation: int) -> GenerationMeta:
        blocks = self.blocks[generation]
        return GenerationMeta(
            generation, 0.0, "2011-12-09", (), (), {}, "", "v", states_model=blocks[0].model if blocks else "",
            states_texts=sum(len(block.keys) for block in blocks), states_tokens=sum(block.tokens for block in blocks),
            states_blocks=len(blocks),
        )  # fmt: skip

    def states(self, meta: GenerationMeta) -> Iterator[StateBlock]:
        self.reads += 1
        for place, block in enumerate(self.blocks[meta.generation]):
            if self.broken and place:
                raise self.broken
            yield block

    def live(self, generation: int) -> None:
        self.feed.follow(Pointer(generation=generation, model="m1"), self.model)

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def scene() -> Scene:
    found = Scene()
    found.blocks = {1: [block_of([4, 2], seed=1), block_of([3], seed=2)], 2: [block_of([5], seed=3)], 3: []}
    return found


def keys(blocks: list[StateBlock]) -> list[bytes]:
    return [key for block in blocks for key in block.keys]


def test_the_states_of_the_live_generation_are_held_once(scene: Scene) -> None:
    scene.live(1)
    scene.live(1)
    assert scene.model.held == keys(scene.blocks[1])
    assert scene.reads == 1
    assert (scene.metric("rec_item_states"), scene.metric("rec_item_states_bytes")) == (3, 27)
    assert scene.metric("rec_state_loads_total", outcome="loaded") == 1
    scene.live(2)
    assert scene.model.held == keys(scene.blocks[2])


def test_before_the_first_generation_nothing_is_looked_for(scene: Scene) -> None:
    scene.live(0)
    assert scene.reads == 0


@pytest.mark.parametrize(
    "broken", [CorruptValue("a flipped bit"), NoGeneration("evicted"), RuntimeError("torch: not enough memory")]
)
def test_states_that_are_damaged_or_gone_are_refused_and_those_before_stay(scene: Scene, broken: Exception) -> None:
    scene.live(2)
    scene.broken = broken
    scene.live(1)
    assert scene.model.held == keys(scene.blocks[2])
    assert scene.metric("rec_state_loads_total", outcome="refused") == 1
    scene.live(1)
    assert scene.reads == 2  # not looked at again at once
    scene.time, scene.broken = RETRY_SECONDS, None
    scene.live(1)
    assert scene.model.held == keys(scene.blocks[1])


def test_states_of_another_form_are_refused(scene: Scene) -> None:
    scene.blocks[4] = [block_of([2], kind="float16")]
    scene.live(4)
    assert scene.model.held == []
    assert scene.metric("rec_state_loads_total", outcome="refused") == 1


def test_states_of_another_model_are_passed_by(scene: Scene) -> None:
    scene.blocks[5] = [block_of([2], model="m2")]
    scene.live(5)
    scene.live(3)
    assert (scene.model.held, scene.reads) == ([], 0)
    assert scene.metric("rec_item_states") == 0


def test_a_model_that_takes_over_gets_its_own(scene: Scene) -> None:
    scene.live(1)
    scene.model = Model()
    scene.live(1)
    assert scene.model.held == keys(scene.blocks[1])  # loaded anew, though of the same version
    scene.blocks[6] = [block_of([2], model="m2")]
    scene.model = Model("m2")
    scene.live(6)
    assert scene.model.held == keys(scene.blocks[6])


def test_a_store_that_is_away_is_asked_again(scene: Scene) -> None:
    meta = scene.meta
    scene.meta = lambda generation: _raise(StoreUnreachable("away"))  # type: ignore[method-assign]
    scene.live(1)
    scene.meta = meta  # type: ignore[method-assign]
    scene.live(1)
    assert scene.model.held == keys(scene.blocks[1])
    assert np.isclose(scene.metric("rec_state_loads_total", outcome="loaded") or 0, 1)


def _raise(error: Exception) -> Any:
    raise error
