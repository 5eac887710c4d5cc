"""Asks the ranker over ZeroMQ, from many threads at once."""

import itertools
import math
import time
from typing import Any, NamedTuple

import zmq

from contract.errors import BadInput
from contract.frames import MAX_FRAME_BYTES, RankError, RankReply, RankRequest, decode_answer, encode
from contract.levels import Reason
from contract.records import UserRecord
from online.gateway.breaker import Breaker
from online.gateway.levels import OF_RANKER

RECONNECT_MS = 50
MAX_RECONNECT_MS = 1000


class RankingFailed(Exception):
    """No scores came; `reason` says why, for the answer and the metrics."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Question(NamedTuple):
    """What a ranker is asked, as in `contract.frames.RankRequest`."""

    generation: int
    model: str
    user: UserRecord | None
    context: tuple[str, ...]
    candidates: bytes
    sources: tuple[str, ...]
    trace_id: str = ""


class RankerClient:
    """A fixed set of connections, one a request: their number bounds the requests that are open.

    A connection per request needs no second thread and no wake-up between threads. ZeroMQ reconnects by
    itself; while there is no connection a request fails at once (IMMEDIATE), and when one is lost under a
    waiting request its monitor says so, so that a ranker's death costs no one their budget. Late answers are
    known by their request_id and dropped. Not to be carried over a fork.
    """

    def __init__(self, endpoint: str, outstanding: int, breaker: Breaker | None = None) -> None:
        self.breaker = breaker or Breaker()
        self._context = zmq.Context()
        self._numbers = itertools.count(1)
        self._lines = [_Line(self._context, endpoint) for _ in range(outstanding)]
        self._free = list(self._lines)  # append and pop are atomic

    def rank(self, question: Question, budget_seconds: float) -> RankReply:
        """The ranker's scores, within `budget_seconds`. Raises RankingFailed."""
        if self.breaker.is_open:
            raise RankingFailed("ranker_unavailable", "it has stopped answering")
        answer = self._ask(question, budget_seconds)
        if isinstance(answer, RankError):
            raise RankingFailed(OF_RANKER[answer.code], answer.detail)
        return answer

    def ping(self, generation: int, model: str, empty: bytes, timeout_seconds: float) -> RankReply | RankError:
        """Ask for the scores of no candidates: any answer proves that the ranker lives. Raises RankingFailed."""
        return self._ask(Question(generation, model, None, (), empty, ()), timeout_seconds)

    def close(self) -> None:
        """Close every connection; no thread may be asking any more."""
        for line in self._lines:
            line.close()
        self._context.term()

    def _ask(self, question: Question, budget_seconds: float) -> RankReply | RankError:
        number = next(self._numbers)
        body = encode(RankRequest(request_id=number, budget_ms=budget_seconds * 1000, **question._asdict()))
        try:
            line = self._free.pop()
        except IndexError:
            raise RankingFailed("ranker_busy", f"{len(self._lines)} requests are open") from None
        try:
            answer = line.ask(number, body, time.perf_counter() + budget_seconds)
        except zmq.Again:
            raise RankingFailed("ranker_unavailable", "no connection") from None
        except ConnectionError as error:
            raise RankingFailed("ranker_unavailable", str(error)) from None
        except TimeoutError:
            self.breaker.failed()
            raise RankingFailed("ranker_timeout", f"nothing came within {budget_seconds * 1000:.0f} ms") from None
        except BadInput as error:
            raise RankingFailed("ranker_error", str(error)) from None
        finally:
            self._free.append(line)
        self.breaker.succeeded()
        return answer


class _Line:
    """One connection, used by one thread at a time."""

    def __init__(self, context: Any, endpoint: str) -> None:
        self._socket = context.socket(zmq.DEALER)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.IMMEDIATE, 1),
            (zmq.RECONNECT_IVL, RECONNECT_MS),
            (zmq.RECONNECT_IVL_MAX, MAX_RECONNECT_MS),
            (zmq.MAXMSGSIZE, MAX_FRAME_BYTES),
        ):
            self._socket.setsockopt(option, value)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._socket.connect(endpoint)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)

    def ask(self, number: int, body: bytes, deadline: float) -> RankReply | RankError:
        """Raises zmq.Again without a connection, ConnectionError when it is lost, TimeoutError, BadInput."""
        self._forget_losses()
        self._socket.send(body, zmq.DONTWAIT)
        while True:
            left = deadline - time.perf_counter()
            ready = dict(self._poller.poll(math.ceil(left * 1000))) if left > 0 else {}
            if self._socket in ready:
                answer = decode_answer(self._socket.recv(zmq.DONTWAIT))
                if answer.request_id == number:
                    return answer
            elif self._monitor in ready:
                self._forget_losses()
                raise ConnectionError("it went away")
            elif not ready:
                raise TimeoutError

    def close(self) -> None:
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(0)

    def _forget_losses(self) -> None:
        """Drop what the monitor says of connections lost before."""
        while self._monitor.getsockopt(zmq.EVENTS) & zmq.POLLIN:
            self._monitor.recv_multipart(zmq.DONTWAIT)
