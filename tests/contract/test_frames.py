"""Frames between gateway and ranker: what is said is understood, anything else is refused in words."""

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.errors import BadInput
from contract.frames import RankError, RankReply, RankRequest, decode_answer, decode_request, encode
from contract.records import UserRecord

REQUEST = RankRequest(
    request_id=7,
    generation=3,
    model="m1",
    user=UserRecord("u1", history=("mug",)),
    context=("pan", "\u00e9\0"),
    candidates=b"\x01\x02\0\0",
    sources=("als", "popularity"),
    budget_ms=12.5,
)
REPLY = RankReply(
    request_id=7,
    model="m1",
    level="fast",
    best=False,
    scores=np.array([0.5, -1], "<f4").tobytes(),
    queue_ms=0.1,
    features_ms=0.2,
    encode_ms=1.0,
    score_ms=2.0,
)
REFUSAL = RankError(request_id=7, code="over_budget", detail="3 ms left")


def test_a_request_comes_back() -> None:
    assert decode_request(encode(REQUEST)) == REQUEST
    nobody = msgspec.structs.replace(REQUEST, user=None, context=())
    assert decode_request(encode(nobody)) == nobody


@pytest.mark.parametrize("answer", [REPLY, REFUSAL], ids=["reply", "refusal"])
def test_an_answer_comes_back_as_what_it_is(answer: RankReply | RankError) -> None:
    assert decode_answer(encode(answer)) == answer


@given(st.binary(max_size=300))
@example(b"")
@example(b"\x91" * 5000)
@example(encode(REPLY))
@example(b"\xa2\xff\xff")
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match="frame"):
        decode_request(body)


@given(st.binary(max_size=300))
@example(b"")
@example(encode(REQUEST))
@example(b"\xa2\xff\xff")
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput, match="answer"):
        decode_answer(body)


@pytest.mark.parametrize("message", [REQUEST, REPLY, REFUSAL], ids=["request", "reply", "refusal"])
def test_every_truncation_is_refused(message: RankRequest | RankReply | RankError) -> None:
    body = encode(message)
    for length in range(len(body)):
        for decode in (decode_request, decode_answer):
            with pytest.raises(BadInput):
                decode(body[:length])


def test_a_request_of_another_version_names_both() -> None:
    with pytest.raises(BadInput, match="version 1, this ranker speaks 3"):
        decode_request(encode(msgspec.structs.replace(REQUEST, version=1)))


@pytest.mark.parametrize(("field", "value"), [("budget_ms", "soon"), ("context", "mug"), ("generation", None)])
def test_a_field_of_another_type_is_named(field: str, value: object) -> None:
    body = msgspec.msgpack.encode({**msgspec.to_builtins(REQUEST), "candidates": b"", field: value})
    with pytest.raises(BadInput, match=field):
        decode_request(body)
