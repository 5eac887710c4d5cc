"""Queries shared through Redis: written in the background with a life, and left alone for a while where it is away."""

import threading
from typing import Any

import pytest

from contract.errors import StoreUnreachable
from contract.keys import Keys
from contract.store.query_states import QueryStates
from online.ranker.query_shelf import WAITING, SharedQueries

KEYS = Keys("pace")


class Away:
    """A store that may be away; it counts what it is asked."""

    def __init__(self) -> None:
        self.away = True
        self.asked = 0
        self.held: dict[bytes, bytes] = {}
        self.free = threading.Event()

    def get(self, key: bytes) -> bytes | None:
        self.asked += 1
        if self.away:
            raise StoreUnreachable("it is away")
        return self.held.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.free.wait()
        self.held[key] = value


def test_what_one_ranker_put_another_one_gets(client: Any) -> None:
    one, other = (SharedQueries(QueryStates(client, KEYS, 60)) for _ in range(2))
    one.start()
    assert other.get(b"k" * 16) is None
    one.put(b"k" * 16, b"states")
    one.stop()
    assert other.get(b"k" * 16) == b"states"
    assert 0 < client.ttl(b"pace:query:" + (b"k" * 16).hex().encode()) <= 60


def test_a_store_that_is_away_is_left_alone_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    store, now = Away(), [0.0]
    shelf = SharedQueries(store, lambda: now[0])
    assert [shelf.get(b"k") for _ in range(10)] == [None] * 10
    assert store.asked == 1
    assert "it is away" in caplog.text
    store.away, store.held = False, {b"k": b"states"}
    now[0] = 5.0
    assert shelf.get(b"k") == b"states"


def test_more_than_may_wait_are_dropped_not_waited_for() -> None:
    store = Away()
    shelf = SharedQueries(store)
    for number in range(2 * WAITING):
        shelf.put(b"%d" % number, b"states")
    store.free.set()
    shelf.start()
    shelf.stop()
    assert sorted(store.held) == sorted(b"%d" % number for number in range(WAITING))
