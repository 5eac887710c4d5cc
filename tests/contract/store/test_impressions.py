"""The stream of what was shown, on a real Valkey: what does not decode, and what is gone."""

from typing import Any

import msgspec
import pytest

from contract.errors import CorruptValue, StoreUnreachable
from contract.keys import Keys
from contract.store.connection import connect
from contract.store.impressions import BEGINNING, Impression, ImpressionLog

SLATE = Impression("r1", 1_714_550_400.25, "ann", None, ("cup", "lamp"), 1, "", "popular")


@pytest.fixture
def stream(client: Any, keys: Keys) -> ImpressionLog:
    return ImpressionLog(client, keys, max_length=1000)


def test_what_was_appended_is_read_back_in_order_and_on_from_an_id(stream: ImpressionLog) -> None:
    slates = [msgspec.structs.replace(SLATE, recommendation_id=name) for name in ("r1", "r2", "r3")]
    stream.append(slates)
    (first, one), (second, two) = stream.read(count=2)
    assert [one, two] == slates[:2]
    assert [slate for _, slate in stream.read(second)] == slates[2:]
    assert first < second


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({b"v": b"\xc1"}, "no impression: MessagePack data is malformed"),
        ({b"v": msgspec.msgpack.encode(SLATE)[:-3]}, "no impression: Input data was truncated"),
        ({b"v": msgspec.msgpack.encode({"recommendation_id": 7})}, "no impression: Expected `str`, got `int`"),
        ({b"v": msgspec.msgpack.encode({"recommendation_id": "?"}).replace(b"?", b"\xff")}, "no impression: .*utf-8"),
        ({b"w": b""}, "an entry without field v"),
    ],
)
def test_an_entry_that_does_not_decode_is_told_and_passed(
    client: Any, keys: Keys, stream: ImpressionLog, fields: dict[bytes, bytes], reason: str
) -> None:
    client.xadd(keys.impressions, fields)
    stream.append([SLATE])
    (_, damaged), (_, slate) = stream.read()
    assert isinstance(damaged, CorruptValue)
    with pytest.raises(CorruptValue, match=reason):
        raise damaged
    assert slate == SLATE


def test_whether_the_entry_that_was_read_last_is_still_there(client: Any, keys: Keys, stream: ImpressionLog) -> None:
    assert not stream.has_lost(BEGINNING)
    stream.append([SLATE, SLATE])
    (first, _), _ = stream.read()
    assert not stream.has_lost(first)
    client.xtrim(keys.impressions, maxlen=1, approximate=False)
    assert stream.has_lost(first)


def test_without_redis_it_says_so(keys: Keys) -> None:
    stream = ImpressionLog(connect("redis://127.0.0.1:1/0", timeout_seconds=1), keys, 10)
    with pytest.raises(StoreUnreachable, match="reading impressions"):
        list(stream.read())
