"""A small shop out of a random generator: what the drill's gateway serves, and who asks it."""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from contract.codec import CandidateList, encode_candidates, encode_record
from contract.keys import Keys
from contract.records import ItemRecord, UserRecord
from contract.store.pointer import Promotion
from contract.store.publisher import Publisher

DAY = "2011-12-09"
SOURCES = ("covisitation", "popularity")
COLOURS = ("red", "blue", "green", "black", "white", "oak")
THINGS = ("mug", "lamp", "chair", "clock", "plate", "towel", "basket", "candle", "box", "tin")
USERS, HISTORY, LENGTH, SEED = 200, 8, 40, 17
TTL_SECONDS = 3600


class Query(NamedTuple):
    """A user, the item that they look at, and the candidates of both."""

    user: UserRecord
    context: ItemRecord
    candidates: CandidateList


class Shop:
    """The same items, users and lists each time."""

    def __init__(self) -> None:
        self._draw = np.random.default_rng(SEED)
        self.items = {item.item_id: item for item in map(_item, range(len(COLOURS) * len(THINGS)), _titles())}
        self.users = [
            UserRecord(f"user-{number}", history=tuple(self._some(HISTORY)), sessions=4, positives=HISTORY)
            for number in range(USERS)
        ]

    def queries(self) -> Iterator[Query]:
        """Endless; user and item are drawn at random, so that no query of a drill is likely to come twice."""
        while True:
            user, item_id = self.users[self._draw.integers(USERS)], self._some(1)[0]
            yield Query(user, self.items[item_id], self._candidates())

    def publish(self, client: Any, keys: Keys, model: str) -> int:
        """Make a generation of it live, and `model` with it; its number."""
        publisher = Publisher(client, keys, staging_ttl_seconds=TTL_SECONDS, retired_ttl_seconds=TTL_SECONDS)
        number = publisher.open()
        for item in self.items.values():
            publisher.write(number, "item", item.item_id, encode_record(item))
            publisher.write(number, "candidates-item", item.item_id, encode_candidates(self._candidates()))
        for user in self.users:
            publisher.write(number, "user", user.user_id, encode_record(user))
            publisher.write(number, "candidates-user", user.user_id, encode_candidates(self._candidates()))
        publisher.write(number, "candidates-segment", "all", encode_candidates(self._candidates()))
        publisher.seal(number, DAY, SOURCES, (1.0, 1.0))
        publisher.flip(number, Promotion(model))
        return number

    def _candidates(self) -> CandidateList:
        """Scores fall along the list, those of the other source at random."""
        scores = np.column_stack((np.linspace(1, 0, LENGTH), self._draw.random(LENGTH))).astype(np.float32)
        return CandidateList(tuple(self._some(LENGTH)), np.zeros(LENGTH, np.uint8), scores)

    def _some(self, count: int) -> list[str]:
        found: list[str] = self._draw.permutation(list(self.items))[:count].tolist()
        return found


def _titles() -> Iterator[str]:
    return (f"{colour} {thing}" for colour, thing in product(COLOURS, THINGS))


def _item(number: int, title: str) -> ItemRecord:
    return ItemRecord(title.replace(" ", "-"), title, price=2.0 + number % 7, popularity_30d=number, buyers_30d=3)
