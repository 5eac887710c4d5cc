"""A publish killed at any point leaves the generation before it whole, and the next one succeeds."""

import multiprocessing
import os
import signal
from typing import Any

import pytest
import redis

from contract.codec import CandidateList, encode_candidates, encode_record
from contract.keys import Keys
from contract.records import ItemRecord, UserRecord
from contract.store import publisher as publisher_module
from contract.store import staging
from contract.store.pointer import Promotion
from contract.store.publisher import Publisher
from contract.store.reader import Reader
from tests.contract.test_states import block_of

KEYS = Keys("killed")
ITEMS = [f"i{n}" for n in range(30)]
# Commands that one publish of these values sends with batches of 5 (see `commands_of_a_publish`).
KILL_POINTS = 45


class DyingConnection(redis.Connection):
    """Kills its own process at the n-th command: even n before it is sent, odd n after."""

    sent = 0
    dies_at = -1

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        cls = type(self)
        cls.sent += 1
        if cls.sent == cls.dies_at and cls.sent % 2 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        super().send_packed_command(command, check_health)
        if cls.sent == cls.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def publish_all(client: Any, title: str) -> int:
    # The same names each time: on how they hash depends how many commands it takes to scan them.
    publisher = Publisher(client, KEYS, staging_ttl_seconds=600, retired_ttl_seconds=60, number_now=lambda: 1)
    number = publisher.open()
    for item_id in ITEMS:
        publisher.write(number, "item", item_id, encode_record(ItemRecord(item_id, title)))
    publisher.write(number, "user", "u", encode_record(UserRecord("u")))
    popular = CandidateList.of([(ITEMS[0], 0, [1.0])], 1)
    publisher.write(number, "candidates-segment", "all", encode_candidates(popular))
    publisher.write_states(number, (block_of([4, 2], seed=seed) for seed in range(7)))
    publisher.seal(number, "2011-12-09", ["popularity"], [1.0])
    return publisher.flip(number, Promotion(f"model {title}")).generation


def publish_and_die(url: str, dies_at: int, sent: Any) -> None:
    DyingConnection.sent, DyingConnection.dies_at = 0, dies_at
    pool = redis.ConnectionPool.from_url(url, connection_class=DyingConnection)
    publish_all(redis.Redis(connection_pool=pool), f"killed at {dies_at}")
    sent.value = DyingConnection.sent


def run_to_death(url: str, dies_at: int) -> tuple[int | None, int]:
    fork = multiprocessing.get_context("fork")
    sent = fork.Value("i", 0)
    child = fork.Process(target=publish_and_die, args=(url, dies_at, sent))
    child.start()
    child.join(30)
    return child.exitcode, sent.value


def titles_live(client: Any) -> set[str]:
    reader = Reader(client, KEYS)
    items = reader.items(reader.pointer().generation, ITEMS)
    assert len(items) == len(ITEMS)
    assert len(list(reader.states(reader.meta(reader.pointer().generation)))) == 7
    assert len(reader.query(reader.pointer().generation, "u", [], ["all"]).segment_candidates["all"]) == 1
    return {item.title for item in items.values()}


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a kill falls between batches; a forked child inherits it."""
    monkeypatch.setattr(publisher_module, "BATCH", 5)
    monkeypatch.setattr(staging, "BATCH", 5)


@pytest.fixture
def commands_of_a_publish(client: Any, valkey_url: str) -> int:
    publish_all(client, "before")
    exitcode, sent = run_to_death(valkey_url, -1)
    assert exitcode == 0
    client.flushall()
    return sent


def test_killed_anywhere_leaves_the_live_generation_whole_and_the_next_run_succeeds(
    client: Any, valkey_url: str, commands_of_a_publish: int
) -> None:
    assert commands_of_a_publish >= KILL_POINTS
    flipped = 0
    for dies_at in range(1, commands_of_a_publish + 1):
        client.flushall()
        live = publish_all(client, "live")
        exitcode, _ = run_to_death(valkey_url, dies_at)
        assert exitcode == -signal.SIGKILL
        pointer = Reader(client, KEYS).pointer()
        if pointer.generation == live:
            assert titles_live(client) == {"live"}, f"killed at command {dies_at}"
            assert pointer.model == "model live"
        else:  # died after the flip: then the new one is complete
            assert titles_live(client) == {f"killed at {dies_at}"}
            assert (pointer.model, pointer.previous_model) == (f"model killed at {dies_at}", "model live")
            flipped += 1
        publish_all(client, "next")
        assert titles_live(client) == {"next"}
    assert 0 < flipped < commands_of_a_publish


def test_what_killed_attempts_left_goes_by_its_ttl(client: Any, valkey_url: str, commands_of_a_publish: int) -> None:
    publish_all(client, "live")
    run_to_death(valkey_url, commands_of_a_publish // 2)
    live, previous = publish_all(client, "next"), Reader(client, KEYS).pointer().previous
    lifetimes = {
        name: client.ttl(name)
        for name in client.scan_iter(match=KEYS.generation_pattern())
        if KEYS.parse(name).generation not in (live, previous)
    }
    assert lifetimes, "the killed attempt left nothing: kill it later"
    assert all(seconds > 0 for seconds in lifetimes.values())
