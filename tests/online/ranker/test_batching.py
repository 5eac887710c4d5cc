"""Requests that wait are scored together: which ones, at what level, and that none is lost or answered twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import NoGeneration
from contract.frames import RankError, RankReply, encode
from contract.records import ItemRecord
from online.ranker.batching import Batcher
from online.ranker.budget import LevelCosts
from online.ranker.line import Job, Line, read_job
from online.ranker.metrics import RankerMetrics
from online.ranker.scoring import Answer, Scoring
from tests.online.ranker.peer import request
from tests.online.toy import ITEMS, PriceScores

GONE = 99
SECONDS = {"full": 0.010, "fast": 0.001}
PRICES = {item.item_id: item.price or 0.0 for item in ITEMS}
CUPS = ("cup",) * 10  # as many candidates as most requests have here


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Model:
    """Takes 10 ms a pair at level full, 1 ms at fast. Notes what it is asked together; breaks at a sold-out item, in
    the end."""

    clock: Clock
    version: str = "m1"
    feature_view: str = ""
    vector_space: str = ""
    history_length: int = 0
    ndcg10: float = 0.0
    encode_seconds: float = 0.0
    levels: Sequence[str] = ("full", "fast")
    asked: list[tuple[str, int]] = field(default_factory=list)

    def prepare(self, user: Any, context: Any, candidates: Any, items: Any, sources: Any) -> tuple[str, ...]:
        return tuple(candidates.item_ids)

    def run_all(self, prepared: Sequence[tuple[str, ...]], level: str) -> list[PriceScores]:
        self.asked.append((level, len(prepared)))
        self.clock.now += SECONDS[level] * sum(len(ids) for ids in prepared)
        if any("sold" in ids for ids in prepared):
            raise ZeroDivisionError
        return [PriceScores(np.array([PRICES[id] for id in ids], np.float32)) for ids in prepared]

    def needed(self) -> list[tuple[str, str, int]]:
        return []


@dataclass
class Watch:
    serving: Model
    refusal: str = ""

    @property
    def wanted(self) -> str:
        return self.serving.version

    def look_soon(self) -> None: ...


class Catalogue:
    def require_features(self, generation: int, feature_view: str, vector_space: str) -> None:
        if generation == GONE:
            raise NoGeneration("generation 99 is gone")

    def items(self, generation: int, ids: Sequence[str]) -> dict[str, ItemRecord]:
        return {}


@dataclass
class Scene:
    scoring: Scoring
    model: Model
    metrics: RankerMetrics
    clock: Clock
    line: Line = field(default_factory=Line)

    def say(self, number: int, ids: tuple[str, ...] = CUPS, **changes: Any) -> None:
        body = encode(request(ids, request_id=number, **{"budget_ms": 1000.0, **changes}))
        self.line.put(read_job(body, arrived=self.clock.now, peer=b"%d" % number))

    def turn(self) -> dict[int, Answer]:
        first = self.line.first()
        assert first is not None
        told = list(self.scoring.answers(first, self.line))
        assert [int(job.peer) for job, _ in told] == [answer.request_id for _, answer in told]
        return {answer.request_id: answer for _, answer in told}


@pytest.fixture
def start() -> Callable[..., Scene]:
    def scene(batch_ms: float, known: bool = True) -> Scene:
        cost = LevelCosts()
        if known:
            cost.learn("full", 10, 0.100)
            cost.learn("fast", 10, 0.010)
        return scene_of(cost, batch_ms)

    return scene


def scene_of(cost: LevelCosts, batch_ms: float) -> Scene:
    clock, metrics = Clock(), RankerMetrics()
    model = Model(clock)
    batcher = Batcher(Watch(model), cost, batch_ms / 1000, clock)  # type: ignore[arg-type]
    return Scene(Scoring(batcher, Catalogue(), cost, metrics, clock), model, metrics, clock)  # type: ignore[arg-type]


def test_as_many_as_the_time_of_a_batch_allows_are_scored_together(start) -> None:
    scene = start(batch_ms=250)
    for number in range(1, 6):
        scene.say(number)
    assert list(scene.turn()) == [1, 2]  # 3 would be done after 300 ms
    assert scene.model.asked == [("full", 2)]
    assert scene.line.load == (3, 30)


def test_where_a_batch_may_take_no_time_each_is_scored_by_itself(start) -> None:
    scene = start(batch_ms=0)
    for number in (1, 2):
        scene.say(number)
    assert list(scene.turn()) == [1]


def test_what_a_request_costs_has_to_be_known(start) -> None:
    scene = start(batch_ms=1e6, known=False)
    for number in (1, 2):
        scene.say(number)
    assert list(scene.turn()) == [1]


def test_a_batch_is_at_the_level_for_which_all_who_wait_have_time(start) -> None:
    scene = start(batch_ms=1000)
    for number in range(1, 13):  # at full the last would be done after 1,200 ms of 950
        scene.say(number, budget_ms=950)
    answers = scene.turn()
    assert list(answers) == [1, 2, 3]  # from 4 on, there is time for full
    assert scene.model.asked == [("fast", 3)]
    assert not answers[1].best


def test_nobody_joins_who_would_be_late_for_it(start) -> None:
    scene = start(batch_ms=1000)
    scene.say(1)
    scene.say(2, budget_ms=150)  # together they take 200 ms
    assert list(scene.turn()) == [1]
    assert scene.model.asked == [("full", 1)]


def test_who_would_make_the_others_late_does_not_join(start) -> None:
    scene = start(batch_ms=1000)
    scene.say(1, budget_ms=20)
    scene.say(2)
    scene.say(3)
    assert list(scene.turn()) == [1]  # at fast it takes 10 ms, both would take 20
    assert scene.model.asked == [("fast", 1)]
    assert list(scene.turn()) == [2, 3]


def test_one_that_has_time_for_a_better_level_does_not_join_at_a_lower_one(start) -> None:
    scene = start(batch_ms=50)
    scene.say(1, budget_ms=60)
    for number in (2, 3):
        scene.say(number, budget_ms=5000)
    assert list(scene.turn()) == [1]
    assert {number: answer.level for number, answer in scene.turn().items()} == {2: "full"}
    assert scene.model.asked == [("fast", 1), ("full", 1)]


def test_time_in_the_line_is_gone_for_whoever_joins(start) -> None:
    scene = start(batch_ms=1000)
    scene.say(1, budget_ms=1000)
    scene.say(2, budget_ms=350)
    scene.clock.now = 0.2
    assert list(scene.turn()) == [1]  # together they take 200 ms of the 150 that are left to 2


def test_who_fails_before_the_model_is_told_before_it_runs(start) -> None:
    scene = start(batch_ms=1000)
    scene.say(1)
    scene.say(2, generation=GONE)
    first = scene.line.first()
    assert first is not None
    told = scene.scoring.answers(first, scene.line)
    assert next(told)[1].request_id == 2
    assert scene.model.asked == []
    assert next(told)[1].request_id == 1


def test_after_a_failure_together_whoever_has_no_time_left_is_not_scored(start) -> None:
    scene = start(batch_ms=1000)
    scene.say(1, ("sold",) * 10)
    scene.say(2, budget_ms=450)
    scene.say(3)
    answers = scene.turn()  # together 300 ms, then 100 each: 2 would be done after 500
    assert [answers[number].code for number in (1, 2)] == ["internal", "over_budget"]
    assert isinstance(answers[3], RankReply)
    assert scene.model.asked == [("full", 3), ("full", 1), ("full", 1)]


def test_a_model_that_answers_too_few_breaks_a_request_and_not_the_thread(start, monkeypatch) -> None:
    scene = start(batch_ms=1000)
    monkeypatch.setattr(scene.model, "run_all", lambda prepared, level: [])
    for number in (1, 2):
        scene.say(number)
    assert [answer.code for answer in scene.turn().values()] == ["internal", "internal"]


def test_one_that_names_another_model_is_refused_in_its_own_turn(start) -> None:
    scene = start(batch_ms=1000)
    scene.say(1)
    scene.say(2, model="m9")
    scene.say(3)
    assert list(scene.turn()) == [1]
    assert scene.turn()[2].code == "other_model"
    assert list(scene.turn()) == [3]


def test_one_whose_generation_is_gone_leaves_the_others_their_scores(start) -> None:
    scene = start(batch_ms=1000)
    scene.say(1)
    scene.say(2, generation=GONE)
    scene.say(3, ("chair", "lamp"))
    answers = scene.turn()
    assert isinstance(answers[1], RankReply)
    assert answers[2].code == "other_generation"
    assert np.frombuffer(answers[3].scores, "<f4").tolist() == [90.0, 30.0]


def test_one_that_breaks_the_model_breaks_no_other(start) -> None:
    scene = start(batch_ms=1000)
    scene.say(1, ("cup",))
    scene.say(2, ("sold",))
    scene.say(3, ("lamp",))
    answers = scene.turn()
    assert {number: type(answer) for number, answer in answers.items()} == {1: RankReply, 2: RankError, 3: RankReply}
    assert (answers[2].code, answers[2].detail) == ("internal", "ZeroDivisionError")
    assert scene.model.asked == [("full", 3), ("full", 1), ("full", 1), ("full", 1)]


def test_a_batch_is_counted_as_one(start) -> None:
    scene = start(batch_ms=1000)
    for number in (1, 2, 3):
        scene.say(number)
    scene.turn()
    names = ("batch_pairs_sum", "batch_requests_sum", "batch_requests_count", "queue_wait_seconds_count")
    found = [scene.metrics.registry.get_sample_value(f"rec_{name}") for name in names]
    assert found == [30.0, 3.0, 1.0, 3.0]


@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from([0.5, 50.0, 400.0, 5000.0]), st.sampled_from([1, GONE]))),
    st.sampled_from([0.0, 30.0, 300.0, 1e9]),
)
def test_every_request_is_answered_once_and_in_turn(waiting: list[tuple[int, float, int]], batch_ms: float) -> None:
    cost = LevelCosts()
    cost.learn("full", 10, 0.100)
    cost.learn("fast", 10, 0.010)
    scene = scene_of(cost, batch_ms)
    for number, (pairs, budget_ms, generation) in enumerate(waiting):
        scene.say(number, ("cup",) * pairs, budget_ms=budget_ms, generation=generation)
    scene.line.close()
    turns: list[list[int]] = []
    while (first := scene.line.first()) is not None:
        turns.append(sorted(answer.request_id for _, answer in scene.scoring.answers(first, scene.line)))
    assert max(map(len, turns), default=0) <= (1 if batch_ms == 0 else len(waiting))
    assert [number for turn in turns for number in turn] == list(range(len(waiting)))
    assert scene.line.load == (0, 0)


def test_a_line_that_is_closed_is_emptied_first() -> None:
    line = Line()
    job: Job = read_job(encode(request()), 0.0, b"one")
    line.put(job)
    line.close()
    assert line.first() is job
    assert line.first() is None
