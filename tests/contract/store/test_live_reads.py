"""The pointer and what follows from it in one round trip: of one generation, and no other command's replies."""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from contract.codec import CandidateList, encode_candidates, encode_record
from contract.errors import StoreUnreachable
from contract.keys import Keys
from contract.records import Pointer, UserRecord
from contract.store.answers import AnswerCache
from contract.store.connection import connect
from contract.store.publisher import Publisher, set_model
from contract.store.reader import Reader
from contract.store.round_trip import round_trip
from tests.contract.store.test_states_on_cluster import cluster  # noqa: F401


def publish(client: Any, keys: Keys, segment: str) -> Pointer:
    """A generation that knows the user `u` of a segment, and a list for the item `a`."""
    writer = Publisher(client, keys, staging_ttl_seconds=600, retired_ttl_seconds=60, number_now=lambda: 1)
    number = writer.open()
    writer.write(number, "user", "u", encode_record(UserRecord("u", segment)))
    writer.write(number, "candidates-item", "a", encode_candidates(CandidateList.of([("b", 0, [0.5])], 1)))
    writer.seal(number, "2011-12-09", ["als"], [1.0])
    return writer.flip(number)


def segment_of(reader: Reader) -> tuple[int, str | None]:
    pointer, data = reader.live_query("u", ["a", "unknown"])
    assert list(data.item_candidates) == (["a"] if data.user else [])
    return pointer.generation, data.user.segment if data.user else None


def read_again(client: Any, read: Callable[[], Any]) -> int:
    """How often values were asked for in one `read`."""
    client.config_resetstat()
    read()
    return int(client.info("commandstats")["cmdstat_mget"]["calls"])


def test_a_query_is_of_the_generation_that_the_pointer_names(client: Any, keys: Keys) -> None:
    reader = Reader(client, keys)
    assert segment_of(reader) == (0, None)
    for number, segment in enumerate(("first", "second"), 1):
        publish(client, keys, segment)
        assert segment_of(reader) == (number, segment)  # the pointer has just moved
        assert segment_of(reader) == (number, segment)


def test_only_a_pointer_that_has_moved_costs_a_second_read(client: Any, keys: Keys) -> None:
    reader = Reader(client, keys)
    publish(client, keys, "first")
    assert read_again(client, lambda: segment_of(reader)) == 2
    assert read_again(client, lambda: segment_of(reader)) == 1


def test_a_query_of_nobody_and_nothing_is_the_pointer_alone(client: Any, keys: Keys) -> None:
    moved = publish(client, keys, "first")
    pointer, data = Reader(client, keys).live_query(None, [])
    assert (pointer, data.user, data.user_candidates, data.item_candidates) == (moved, None, None, {})


def test_a_cached_answer_is_the_one_of_the_live_model(client: Any, keys: Keys) -> None:
    def material(pointer: Pointer) -> bytes:
        return b"asked of " + pointer.model.encode()

    reader, cache = Reader(client, keys), AnswerCache(client, keys, 60)
    for model in ("m1", "m2"):
        publish(client, keys, "any")
        set_model(client, keys, model)
        pointer, missing = reader.live_answer(material)
        assert (pointer.model, missing) == (model, None)
        cache.put(material(pointer), model.encode())
        assert reader.live_answer(material) == (pointer, model.encode())


def test_on_a_cluster_too(cluster: Any, keys: Keys) -> None:  # noqa: F811
    publish(cluster, keys, "first")
    assert segment_of(Reader(cluster, keys)) == (1, "first")


def test_a_server_that_is_not_there_is_a_typed_error(keys: Keys) -> None:
    nobody = connect("redis://127.0.0.1:1/0", timeout_seconds=0.2)
    with pytest.raises(StoreUnreachable, match="is Redis up"):
        Reader(nobody, keys).live_query("u", [])


def test_a_refused_command_leaves_no_reply_for_the_next(client: Any) -> None:
    client.set("text", b"1")
    client.set("other", b"2")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        round_trip(client, ("HMGET", "text", "field"), ("GET", "text"))
    assert round_trip(client, ("GET", "other"), ("GET", "text")) == [b"2", b"1"]


def test_a_connection_that_the_server_has_closed_is_made_anew(client: Any) -> None:
    assert round_trip(client, ("SET", "text", "1")) == [b"OK"]
    with connect(f"redis://127.0.0.1:{client.connection_pool.connection_kwargs['port']}/0", 5) as other:
        other.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert round_trip(client, ("GET", "text")) == [b"1"]
