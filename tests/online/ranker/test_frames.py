"""The ranker's socket: scores, refusals with their codes, and garbage that ends nothing."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from contract.frames import MAX_FRAME_BYTES, RankError, RankReply, encode
from contract.records import UserRecord
from contract.store.publisher import set_model
from tests.online.ranker.peer import Peer, request
from tests.online.toy import PriceScorer, publish, until, write_model


@pytest.fixture
def ranker(client, keys, models, settings, start_ranker):
    """Serves m1, which takes a fifth of a second."""
    publish(client, keys)
    write_model(models, "m1", seconds=0.2)
    write_model(models, "m2")
    set_model(client, keys, "m1")
    return start_ranker(settings())


@pytest.fixture
def peer(ranker, settings) -> Iterator[Peer]:
    peer = Peer(settings().ranker.endpoint)
    yield peer
    peer.close()


def metric(ranker, name: str, **labels: str) -> float:
    return ranker.metrics.registry.get_sample_value(name, labels) or 0.0


def test_scores_come_in_the_order_of_the_candidates(peer) -> None:
    answer = peer.ask()

    assert np.frombuffer(answer.scores, "<f4").tolist() == [4.0, 90.0, 30.0]
    assert (answer.request_id, answer.model) == (7, "m1")
    assert answer.score_ms >= 200
    assert answer.features_ms > 0


def test_a_short_budget_is_answered_at_a_lower_level_that_is_named(
    client, keys, models, settings, start_ranker
) -> None:
    """At level full a score takes a second, at fast next to nothing."""
    publish(client, keys)
    write_model(models, "m1", seconds=1.0)
    set_model(client, keys, "m1")

    def load(directory):
        scorer = PriceScorer(directory)
        scorer.levels = ("full", "fast")
        return scorer

    start_ranker(settings(), load)
    peer = Peer(settings().ranker.endpoint)
    first, short = peer.ask(), peer.ask(budget_ms=700.0)

    assert (first.level, first.best) == ("full", True)
    assert (short.level, short.best) == ("fast", False)
    assert short.score_ms < 700
    peer.close()


def test_a_user_comes_with_the_request(peer) -> None:
    answer = peer.ask(user=UserRecord("ann", "kitchen", ("cup", "chair")))

    assert isinstance(answer, RankReply)


@pytest.mark.parametrize(
    "frames",
    [
        (b"",),
        (b"garbage",),
        (b"\xc1" * 100,),
        (encode(request())[:-10],),
        (encode(request(version=99)),),
        (encode(RankError(request_id=1, code="internal", detail="")),),
        (encode(request()), b"a second frame"),
    ],
    ids=["empty", "text", "no-messagepack", "cut-off", "other-version", "no-request", "two-frames"],
)
def test_a_frame_that_is_none_is_answered_as_such_and_ends_nothing(peer, ranker, frames) -> None:
    peer.say(*frames)

    assert peer.hear().code == "bad_frame"
    assert metric(ranker, "rec_shed_total", reason="bad_frame") == 1
    assert isinstance(peer.ask(), RankReply)


def test_candidates_that_do_not_decode_are_refused_by_the_requests_number(peer) -> None:
    answer = peer.ask(candidates=b"\x01\x02\x05\x00abc")

    assert (answer.code, answer.request_id) == ("bad_frame", 7)


def test_a_frame_larger_than_any_request_costs_only_its_sender(peer, ranker, settings) -> None:
    peer.say(b"x" * (MAX_FRAME_BYTES + 1))

    other = Peer(settings().ranker.endpoint)
    assert isinstance(other.ask(), RankReply)
    other.close()


def test_no_candidates_are_a_ping_that_does_not_wait(peer) -> None:
    peer.say(encode(request(request_id=1)))
    peer.say(encode(request((), request_id=2)))

    assert [peer.hear().request_id, peer.hear().request_id] == [2, 1]


def test_a_model_that_is_not_served_is_said_so(peer) -> None:
    assert peer.ask(model="m9").code == "other_model"


def test_a_model_heard_of_first_from_a_gateway_is_loaded_at_once(client, keys, models, settings, start_ranker) -> None:
    publish(client, keys)
    write_model(models, "m1")
    write_model(models, "m2")
    set_model(client, keys, "m1")
    chosen = settings(ranker={**settings().ranker.model_dump(), "poll_seconds": 3600})
    ranker = start_ranker(chosen)
    peer = Peer(chosen.ranker.endpoint)
    peer.ask(model="m1")
    set_model(client, keys, "m2")

    peer.ask(model="m2")

    until(lambda: ranker.watch.serving.version == "m2", "the model that was named is loaded")
    peer.close()


def test_without_a_model_it_says_so(client, keys, models, settings, start_ranker) -> None:
    publish(client, keys)
    start_ranker(settings(), warm=False)
    peer = Peer(settings().ranker.endpoint)

    assert peer.ask().code == "no_model"
    peer.close()


def test_while_a_model_loads_requests_are_refused_at_once(client, keys, models, settings, start_ranker) -> None:
    publish(client, keys)
    write_model(models, "m1")
    set_model(client, keys, "m1")
    may_load = threading.Event()

    def load(directory):
        assert may_load.wait(20)
        return PriceScorer(directory)

    ranker = start_ranker(settings(), load, warm=False)
    peer = Peer(settings().ranker.endpoint)
    before = peer.ask()
    may_load.set()
    until(lambda: ranker.watch.serving is not None, "the model serves")

    assert (before.code, before.detail) == ("no_model", "none is loaded yet")
    assert isinstance(peer.ask(), RankReply)
    peer.close()


def test_a_generation_that_is_not_there_is_refused(peer) -> None:
    answer = peer.ask(generation=99)

    assert (answer.code, answer.request_id) == ("other_generation", 7)


@pytest.mark.parametrize("what", ["feature_view", "vector_space"])
def test_a_generation_of_other_features_is_refused(client, keys, models, settings, start_ranker, what) -> None:
    publish(client, keys)
    write_model(models, "m1")
    set_model(client, keys, "m1")

    def load(directory):
        scorer = PriceScorer(directory)
        setattr(scorer, what, "another")
        return scorer

    start_ranker(settings(), load)
    peer = Peer(settings().ranker.endpoint)
    answer = peer.ask()

    assert answer.code == "other_generation"
    assert "another" in answer.detail
    peer.close()


def test_a_budget_that_the_queue_has_eaten_is_refused_at_once(peer, ranker) -> None:
    peer.ask()  # teaches what three pairs cost: 0.2 s
    for number in range(1, 9):
        peer.say(encode(request(request_id=number, budget_ms=900.0)))

    answers = {answer.request_id: answer for answer in (peer.hear() for _ in range(8))}

    refused = [number for number, answer in answers.items() if isinstance(answer, RankError)]
    assert isinstance(answers[1], RankReply)
    assert refused
    assert {answers[number].code for number in refused} == {"over_budget"}
    assert 8 in refused  # seven times 0.2 s stand before it
    assert metric(ranker, "rec_shed_total", reason="over_budget") == len(refused)


def test_waiting_is_measured_from_arrival(peer) -> None:
    peer.say(encode(request(request_id=1)))
    peer.say(encode(request(request_id=2)))

    first, second = peer.hear(), peer.hear()

    assert second.queue_ms >= first.score_ms * 0.9
    assert second.queue_ms > first.queue_ms


def test_more_than_the_queue_holds_is_refused(client, keys, models, settings, start_ranker) -> None:
    publish(client, keys)
    write_model(models, "m1", seconds=0.5)
    set_model(client, keys, "m1")
    chosen = settings(ranker={**settings().ranker.model_dump(), "queue_length": 2})
    start_ranker(chosen)
    peer = Peer(chosen.ranker.endpoint)

    for number in range(1, 6):
        peer.say(encode(request(request_id=number)))
    answers = {answer.request_id: answer for answer in (peer.hear() for _ in range(5))}

    assert {number for number, answer in answers.items() if isinstance(answer, RankReply)} == {1, 2, 3}
    assert "wait already" in answers[4].detail
    peer.close()


def test_a_scorer_that_breaks_breaks_one_request(peer, ranker, monkeypatch, caplog) -> None:
    def breaks(prepared, level) -> None:
        raise ZeroDivisionError

    peer.ask()
    scorer = ranker.watch.serving
    monkeypatch.setattr(scorer, "run_all", breaks)
    broken = peer.ask()
    monkeypatch.undo()

    assert (broken.code, broken.detail) == ("internal", "ZeroDivisionError")
    assert isinstance(peer.ask(), RankReply)
    assert "ZeroDivisionError" in caplog.text


def test_at_the_stop_what_is_being_scored_is_answered_and_what_waits_is_refused(peer, ranker, monkeypatch) -> None:
    peer.ask()
    begun, scorer = threading.Event(), ranker.watch.serving
    run = scorer.run_all
    monkeypatch.setattr(scorer, "run_all", lambda prepared, level: (begun.set(), run(prepared, level))[1])
    peer.say(encode(request(request_id=1)))
    peer.say(encode(request(request_id=2)))
    until(lambda: begun.is_set() and metric(ranker, "rec_queue_size") == 1, "one is scored, the other waits")

    ranker.stop()

    answers = {answer.request_id: answer for answer in (peer.hear(), peer.hear())}
    assert isinstance(answers[1], RankReply)
    assert answers[2].code == "stopping"


def test_figures_of_the_work_are_kept(peer, ranker) -> None:
    peer.ask()

    assert metric(ranker, "rec_batch_pairs_sum") == 3
    assert metric(ranker, "rec_batch_requests_sum") == 1
    assert metric(ranker, "rec_queue_wait_seconds_count") == 1
    assert metric(ranker, "rec_stage_duration_seconds_sum", stage="ranker_score") >= 0.2
