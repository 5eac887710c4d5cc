"""A generation of realistic size out of a random generator: ids, titles and lists mean nothing."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from contract.codec import CandidateList, encode_candidates, encode_record
from contract.keys import Keys
from contract.records import ItemRecord, UserRecord
from contract.store.publisher import Publisher

SOURCES = ("covisitation", "als", "content", "repeat", "popularity")
SEGMENTS = ("price:low", "price:mid", "price:high")
WORDS = ("red", "white", "oak", "metal", "party", "lamp", "box", "clock", "heart", "vintage", "small", "candle", "tin")


def item_ids(items: int) -> list[str]:
    return [f"{20000 + i}{'ABC'[i % 3]}" for i in range(items)]


def publish(client: Any, keys: Keys, items: int, users: int, length: int, seed: int) -> int:
    """Publish and flip a generation of so many items and users, with lists of `length` for each."""
    draw = np.random.default_rng(seed)
    ids = np.array(item_ids(items))
    publisher = Publisher(client, keys, staging_ttl_seconds=3600, retired_ttl_seconds=3600)
    number = publisher.open()
    for i, item_id in enumerate(ids.tolist()):
        title = " ".join(draw.choice(WORDS, 4)).upper()
        record = ItemRecord(item_id, title, None, (), round(float(draw.gamma(2, 3)), 2), True, SEGMENTS[i % 3], i % 50)
        publisher.write(number, "item", item_id, encode_record(record))
        publisher.write(number, "candidates-item", item_id, next(_lists(draw, ids, length)))
    for i in range(users):
        history = tuple(draw.choice(ids, 20, replace=False).tolist())
        publisher.write(number, "user", str(i), encode_record(UserRecord(str(i), SEGMENTS[i % 3], history, 5, 20, 4.2)))
        publisher.write(number, "candidates-user", str(i), next(_lists(draw, ids, length)))
    for segment in (*SEGMENTS, "all"):
        publisher.write(number, "candidates-segment", segment, next(_lists(draw, ids, length)))
    publisher.seal(number, "2011-12-09", SOURCES, [1.0] * len(SOURCES))
    publisher.flip(number)
    return number


def _lists(draw: np.random.Generator, ids: np.ndarray, length: int) -> Iterator[bytes]:
    """Endless lists: popular items more often, two sources' scores an entry."""
    while True:
        weighted = np.unique((draw.random(3 * length) ** 2 * len(ids)).astype(int))
        picked = draw.permutation(weighted)[:length]
        scores = np.zeros((len(picked), len(SOURCES)), np.float32)
        source = draw.integers(0, len(SOURCES), len(picked)).astype(np.uint8)
        scores[np.arange(len(picked)), source] = np.sort(draw.random(len(picked)))[::-1]
        scores[:, -1] += draw.random(len(picked)).astype(np.float32)
        yield encode_candidates(CandidateList(tuple(ids[picked].tolist()), source, scores))
