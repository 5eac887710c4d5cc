"""Several rankers: turns, and what another one does where one cannot."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from contract.codec import CandidateList, encode_candidates
from contract.frames import RankError, RankReply, encode
from contract.store.publisher import set_model
from online.gateway.ranker_client import Question, RankingFailed
from online.gateway.ranker_pool import RankerPool
from tests.online.gateway.test_ranker_client import EMPTY, PlayedRanker, connected, reply
from tests.online.toy import free_port, publish, until, write_model


class Answering:
    """A played ranker that gives every request the same answer, and counts them."""

    def __init__(self, answer: Callable[[int], bytes]) -> None:
        self.played, self.asked = PlayedRanker(), 0
        self.endpoint = self.played.endpoint
        self._answer = answer
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        while not self._ending.is_set():
            if self.played._socket.poll(20):
                peer, request = self.played.hear()
                self.asked += 1
                self.played.say(peer, self._answer(request.request_id))

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self.played.close()


def refusing(code: Any) -> Callable[[int], bytes]:
    return lambda number: encode(RankError(request_id=number, code=code, detail="because"))


@pytest.fixture
def pool() -> Iterator[Callable[..., tuple[RankerPool, list[Answering]]]]:
    """Rankers that answer so, one by one, and a pool that is connected to all."""
    with ExitStack() as ends:

        def start(*answers: Callable[[int], bytes]) -> tuple[RankerPool, list[Answering]]:
            rankers = [Answering(answer) for answer in answers]
            for ranker in rankers:
                ends.callback(ranker.close)
            found = RankerPool([ranker.endpoint for ranker in rankers], outstanding=1)
            ends.callback(found.close)
            until(lambda: all(map(connected, found.clients)), "the connections are up")
            return found, rankers

        yield start


def ask(pool: RankerPool, seconds: float = 20.0) -> RankReply:
    return pool.rank(Question(1, "m1", None, (), EMPTY, ()), seconds)


def test_rankers_take_turns(pool) -> None:
    found, rankers = pool(reply, reply)
    for _ in range(6):
        ask(found)
    assert [ranker.asked for ranker in rankers] == [3, 3]


@pytest.mark.parametrize("code", ["stopping", "no_model"])
def test_what_one_cannot_do_yet_another_does(pool, code) -> None:
    found, rankers = pool(refusing(code), reply)
    for _ in range(4):
        assert ask(found).model == "m1"
    assert rankers[1].asked == 4


def test_a_request_that_would_be_late_is_not_passed_on(pool) -> None:
    found, rankers = pool(refusing("over_budget"), refusing("over_budget"))
    with pytest.raises(RankingFailed, match="over_budget"):
        ask(found)
    assert sum(ranker.asked for ranker in rankers) == 1


def test_one_that_is_not_there_costs_nothing(pool) -> None:
    found, _ = pool(reply)
    gone = RankerPool([f"tcp://127.0.0.1:{free_port()}"], outstanding=1)
    found.clients[:0] = gone.clients
    for _ in range(4):
        assert ask(found).model == "m1"
    assert isinstance(found.ping(1, "m1", EMPTY, 20), RankReply)


def test_where_none_can_the_last_reason_is_told(pool) -> None:
    found, _ = pool(refusing("no_model"), refusing("no_model"))
    with pytest.raises(RankingFailed, match="ranker_no_model"):
        ask(found)
    assert isinstance(found.ping(1, "m1", EMPTY, 20), RankError)
    assert not found.is_silent


def test_a_silent_one_is_left_alone_until_it_answers_a_ping(pool) -> None:
    found, rankers = pool(reply, reply)
    found.clients[0].breaker.failed()
    found.clients[0].breaker.failed()
    found.clients[0].breaker.failed()
    assert found.is_silent
    for _ in range(4):
        ask(found)
    assert [ranker.asked for ranker in rankers] == [0, 4]
    found.ping(1, "m1", EMPTY, 20)
    assert not found.is_silent


def test_a_gateway_goes_on_with_the_ranker_that_is_left(
    client, keys, models, settings, start_gateway, start_ranker
) -> None:
    publish(client, keys)
    write_model(models, "m1")
    set_model(client, keys, "m1")
    ports = [settings(ranker={"endpoint": f"tcp://127.0.0.1:{free_port()}", "metrics_port": free_port()}) for _ in "ab"]
    rankers = [start_ranker(chosen) for chosen in ports]
    gateway = start_gateway(settings(gateway={"rankers": tuple(chosen.ranker.endpoint for chosen in ports)}))
    until(lambda: gateway.get("/readyz").json["ranker"] == "serves m1", "a ranker answers")
    rankers[0].stop()
    levels = [gateway.get(f"/recommend?user_id=ann&item_id=cup&n={n}").json["level"] for n in range(1, 7)]
    assert levels == ["full"] * 6
    assert encode_candidates(CandidateList.empty(0)) == EMPTY
