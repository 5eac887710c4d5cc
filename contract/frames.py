"""What gateway and ranker say to each other over ZeroMQ: one MessagePack body a message.

The gateway's DEALER sends [body], the ranker's ROUTER answers [body] to the same peer; `request_id`
pairs them, so that a late answer to an abandoned request is recognised and dropped.
"""

from typing import Literal

import msgspec

from contract.errors import BadInput
from contract.records import UserRecord

VERSION = 3
MAX_FRAME_BYTES = 1 << 20

ErrorCode = Literal["bad_frame", "no_model", "other_model", "other_generation", "over_budget", "stopping", "internal"]


class RankRequest(msgspec.Struct, frozen=True, tag="rank", kw_only=True):
    """Score `candidates` (contract.codec bytes) for a query. `budget_ms` is what is left, not a time of day.

    `trace_id` is what both sides' logs know the request by.
    """

    version: int = VERSION
    request_id: int
    generation: int
    model: str
    user: UserRecord | None
    context: tuple[str, ...]
    candidates: bytes
    sources: tuple[str, ...]
    budget_ms: float
    trace_id: str = ""


class RankReply(msgspec.Struct, frozen=True, tag="ranked", kw_only=True):
    """`scores`: little-endian float32, one a candidate in the request's order. Times in milliseconds.

    `level` is the model's that they were made at; `best` whether that is the best one it may be served at. `encode_ms`
    went to texts that had to be read, `score_ms` to the candidates beside the query.
    """

    request_id: int
    model: str
    level: str
    best: bool
    scores: bytes
    queue_ms: float
    features_ms: float
    encode_ms: float
    score_ms: float


class RankError(msgspec.Struct, frozen=True, tag="error", kw_only=True):
    """The ranker's refusal; the gateway falls back and says why."""

    request_id: int
    code: ErrorCode
    detail: str


_encoder = msgspec.msgpack.Encoder()
_request_decoder = msgspec.msgpack.Decoder(RankRequest)
_answer_decoder = msgspec.msgpack.Decoder(RankReply | RankError)


def encode(message: RankRequest | RankReply | RankError) -> bytes:
    return _encoder.encode(message)


def decode_request(body: bytes) -> RankRequest:
    """Raises BadInput for anything but a RankRequest of this version."""
    try:
        request = _request_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"frame of {len(body)} bytes: {error}") from error
    if request.version != VERSION:
        raise BadInput(f"frame version {request.version}, this ranker speaks {VERSION}: deploy both sides together")
    return request


def decode_answer(body: bytes) -> RankReply | RankError:
    """Raises BadInput."""
    try:
        answer: RankReply | RankError = _answer_decoder.decode(body)
        return answer
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"answer of {len(body)} bytes: {error}") from error
