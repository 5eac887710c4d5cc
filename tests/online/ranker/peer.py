"""A gateway's end of the ranker's socket, and what it says there."""

from typing import Any

import zmq

from contract.codec import encode_candidates
from contract.frames import RankError, RankReply, RankRequest, decode_answer, encode
from tests.online.toy import SOURCES, ranked


class Peer:
    """A gateway's end of the socket."""

    def __init__(self, endpoint: str) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.connect(endpoint)

    def say(self, *frames: bytes) -> None:
        self._socket.send_multipart(frames)

    def hear(self) -> RankReply | RankError:
        assert self._socket.poll(20_000), "the ranker does not answer"
        return decode_answer(self._socket.recv())

    def ask(self, **changes: Any) -> RankReply | RankError:
        self.say(encode(request(**changes)))
        return self.hear()

    def close(self) -> None:
        self._socket.close(0)
        self._context.term()


def request(ids: tuple[str, ...] = ("cup", "chair", "lamp"), **changes: Any) -> RankRequest:
    fields: dict[str, Any] = {
        "request_id": 7,
        "generation": 1,
        "model": "m1",
        "user": None,
        "context": ("plate",),
        "candidates": encode_candidates(ranked(ids, 0)),
        "sources": SOURCES,
        "budget_ms": 10_000.0,
    }
    return RankRequest(**{**fields, **changes})
