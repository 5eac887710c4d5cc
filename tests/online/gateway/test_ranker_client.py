"""The gateway's end of the socket, against a ranker that the test plays."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zmq

from contract.codec import CandidateList, encode_candidates
from contract.frames import ErrorCode, RankError, RankReply, RankRequest, decode_request, encode
from contract.records import Pointer
from online.gateway.ranker_client import Question, RankerClient, RankingFailed
from online.gateway.reranking import model_scores
from online.gateway.stages import RequestClock
from tests.online.toy import free_port, ranked, until

EMPTY = encode_candidates(CandidateList.empty(0))


class PlayedRanker:
    """Hears requests and answers when, and what, the test says."""

    def __init__(self) -> None:
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.bind(self.endpoint)

    def hear(self) -> tuple[bytes, RankRequest]:
        assert self._socket.poll(20_000), "no request came"
        peer, body = self._socket.recv_multipart()
        return peer, decode_request(body)

    def say(self, peer: bytes, body: bytes) -> None:
        self._socket.send_multipart([peer, body])

    def close(self) -> None:
        self._context.destroy(linger=0)


def reply(request_id: int, model: str = "m1", scores: bytes = b"", score_ms: float = 2.0) -> bytes:
    return encode(
        RankReply(
            request_id=request_id,
            model=model,
            level="full",
            best=True,
            scores=scores,
            queue_ms=1.0,
            features_ms=2.0,
            encode_ms=1.0,
            score_ms=score_ms,
        )
    )


@pytest.fixture
def ranker() -> Iterator[PlayedRanker]:
    played = PlayedRanker()
    yield played
    played.close()


@pytest.fixture
def gateway(ranker) -> Iterator[RankerClient]:
    """Two connections, up."""
    client = RankerClient(ranker.endpoint, outstanding=2)
    until(lambda: connected(client), "the connections are up")
    yield client
    client.close()


def connected(client: RankerClient) -> bool:
    return all(line._socket.getsockopt(zmq.EVENTS) & zmq.POLLOUT for line in client._lines)


def ask(client: RankerClient, seconds: float = 20.0) -> RankReply:
    return client.rank(Question(1, "m1", None, (), EMPTY, ()), seconds)


def test_a_late_answer_is_not_taken_for_the_next_ones(gateway, ranker) -> None:
    with pytest.raises(RankingFailed, match="ranker_timeout"):
        ask(gateway, seconds=0.05)
    peer, late = ranker.hear()
    ranker.say(peer, reply(late.request_id, model="late"))

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask, gateway)
        peer, request = ranker.hear()
        ranker.say(peer, reply(request.request_id, model="in time"))

        assert asking.result(20).model == "in time"


def test_the_budget_goes_with_the_request(gateway, ranker) -> None:
    with pytest.raises(RankingFailed):
        ask(gateway, seconds=0.05)

    assert ranker.hear()[1].budget_ms == pytest.approx(50)


def test_more_than_may_be_open_falls_back_at_once(gateway, ranker) -> None:
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(ask, gateway) for _ in range(2)]
        heard = [ranker.hear() for _ in range(2)]

        with pytest.raises(RankingFailed, match="ranker_busy"):
            ask(gateway)

        for peer, request in heard:
            ranker.say(peer, reply(request.request_id))
        assert {future.result(20).request_id for future in waiting} == {request.request_id for _, request in heard}


def test_without_a_ranker_nobody_waits() -> None:
    client = RankerClient(f"tcp://127.0.0.1:{free_port()}", outstanding=1)

    with pytest.raises(RankingFailed, match="no connection"):
        ask(client, seconds=3600)

    client.close()


def test_a_ranker_that_goes_away_is_not_waited_for(gateway, ranker) -> None:
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask, gateway, 3600)
        ranker.hear()
        ranker.close()

        with pytest.raises(RankingFailed, match="went away"):
            asking.result(20)


def test_after_timeouts_in_a_row_it_is_not_asked_until_a_ping_comes_back(gateway, ranker) -> None:
    for _ in range(3):
        with pytest.raises(RankingFailed, match="ranker_timeout"):
            ask(gateway, seconds=0.01)
        ranker.hear()
    with pytest.raises(RankingFailed, match="stopped answering"):
        ask(gateway)

    def play() -> None:
        for _ in range(2):
            peer, request = ranker.hear()
            ranker.say(peer, reply(request.request_id))

    playing = threading.Thread(target=play)
    playing.start()
    gateway.ping(1, "m1", EMPTY, timeout_seconds=20)
    assert isinstance(ask(gateway), RankReply)
    playing.join()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("over_budget", "over_budget"),
        ("no_model", "ranker_no_model"),
        ("other_model", "ranker_other_model"),
        ("other_generation", "ranker_other_generation"),
        ("stopping", "ranker_unavailable"),
        ("bad_frame", "ranker_error"),
        ("internal", "ranker_error"),
    ],
)
def test_every_error_frame_has_its_reason(gateway, ranker, code: ErrorCode, reason) -> None:
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask, gateway)
        peer, request = ranker.hear()
        ranker.say(peer, encode(RankError(request_id=request.request_id, code=code, detail="because")))

        with pytest.raises(RankingFailed, match="because") as failed:
            asking.result(20)
    assert failed.value.reason == reason


@pytest.mark.parametrize(
    "scores",
    [b"", np.zeros(2, "<f4").tobytes(), b"\x00" * 13, np.array([1, np.nan, 2], "<f4").tobytes()],
    ids=["none", "too-few", "odd", "no-number"],
)
def test_scores_that_cannot_be_are_a_fallback(gateway, ranker, scores) -> None:
    def asked() -> object:
        pointer = Pointer(generation=1, model="m1")
        return model_scores(gateway, pointer, None, (), ranked(("a", "b", "c"), 0), ("x", "y"), RequestClock(20.0))

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(asked)
        peer, request = ranker.hear()
        ranker.say(peer, reply(request.request_id, scores=scores))

        with pytest.raises(RankingFailed, match="ranker_error"):
            asking.result(20)


@pytest.mark.parametrize("spent", [float("nan"), float("inf"), -1.0, 1e306])
def test_times_that_cannot_be_are_a_fallback_too(gateway, ranker, spent) -> None:
    clock = RequestClock(20.0)

    def asked() -> object:
        return model_scores(gateway, Pointer(generation=1, model="m1"), None, (), ranked(("a",), 0), ("x", "y"), clock)

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(asked)
        peer, request = ranker.hear()
        ranker.say(peer, reply(request.request_id, scores=np.ones(1, "<f4").tobytes(), score_ms=spent))

        with pytest.raises(RankingFailed, match="took times that are none"):
            asking.result(20)
    assert clock.timing().transfer == clock.timing().total > 0


def test_an_answer_that_is_no_frame_is_a_fallback(gateway, ranker) -> None:
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask, gateway)
        peer, _ = ranker.hear()
        ranker.say(peer, b"garbage")

        with pytest.raises(RankingFailed, match="ranker_error"):
            asking.result(20)
