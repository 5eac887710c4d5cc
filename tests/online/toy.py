"""A catalogue of eight items, a scorer that needs no torch, and processes to run them in."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contract.codec import CandidateList, encode_candidates, encode_record
from contract.errors import ArtifactMismatch
from contract.features import VERSION as FEATURE_VIEW
from contract.keys import Keys
from contract.records import ItemRecord, Through, UserRecord
from contract.states import StateBlock
from contract.store.publisher import Publisher

ROOT = Path(__file__).parents[2]
SCORING = "scoring"
SOURCES = ("covisitation", "popularity")
WEIGHTS = (1.0, 0.001)

ITEMS = (
    ItemRecord("cup", "Red cup", categories=("kitchen",), price=4.0, segment="kitchen"),
    ItemRecord("plate", "White plate", categories=("kitchen",), price=6.0, segment="kitchen"),
    ItemRecord("lamp", "Desk lamp", categories=("light",), price=30.0, segment="light"),
    ItemRecord("candle", "Candle", categories=("light", "kitchen"), price=2.0, segment="light"),
    ItemRecord("chair", "Oak chair", categories=("seat",), price=90.0, segment="seat"),
    ItemRecord("stool", "Stool", categories=("seat",), price=None, segment="seat"),
    ItemRecord("sold", "Sold out vase", categories=("kitchen",), price=8.0, segment="kitchen", available=False),
    ItemRecord("lonely", "Item without a list", categories=("light",), price=5.0, segment="light"),
)
USERS = (UserRecord("ann", "kitchen", ("cup",), 1, 1, 4.0, 1.0),)
LISTS = {
    ("candidates-user", "ann"): ("plate", "candle", "chair"),
    ("candidates-item", "cup"): ("plate", "sold", "candle", "stool", "lamp"),
    ("candidates-item", "lamp"): ("candle", "chair"),
    ("candidates-segment", "light"): ("lamp", "candle"),
    ("candidates-segment", "all"): ("chair", "cup", "plate", "sold", "lamp"),
}


def ranked(ids: Sequence[str], source: int) -> CandidateList:
    """Scores fall from 1 in the column of `source`."""
    return CandidateList.of(
        ((id, source, [(1 - i / 10) * (column == source) for column in range(2)]) for i, id in enumerate(ids)), 2
    )


def publish(
    client: Any,
    keys: Keys,
    titled: Callable[[str], str] = str,
    lists: Mapping[tuple[str, str], Sequence[str]] = LISTS,
    repeats: bool = True,
    through: Through | None = None,
    items: Sequence[ItemRecord] = ITEMS,
    number_now: Callable[[], int] = lambda: 1,
) -> int:
    """A live generation of the toy catalogue; `titled` marks its titles. Its number is counted from 1, not the time."""
    publisher = Publisher(client, keys, staging_ttl_seconds=600, retired_ttl_seconds=600, number_now=number_now)
    number = publisher.open()
    for item in items:
        marked = ItemRecord(*(getattr(item, f) if f != "title" else titled(item.title) for f in item.__struct_fields__))
        publisher.write(number, "item", item.item_id, encode_record(marked))
    for user in USERS:
        publisher.write(number, "user", user.user_id, encode_record(user))
    for (kind, id), ids in lists.items():
        source = 1 if kind == "candidates-segment" else 0
        publisher.write(number, kind, id, encode_candidates(ranked(ids, source)))  # type: ignore[arg-type]
    publisher.seal(number, "2011-12-09", SOURCES, WEIGHTS, repeats, through=through)
    publisher.flip(number)
    return number


@dataclass
class PriceScores:
    final: NDArray[np.float32]


class PriceScorer:
    """Ranks dear items first. Its directory holds scorer.json: {"seconds": how long a score takes at level full}.

    One that takes time leaves the file SCORING there as it begins.
    """

    feature_view = FEATURE_VIEW
    vector_space = ""
    history_length = 10
    ndcg10 = 0.25
    encode_seconds = 0.0
    levels: Sequence[str] = ("full",)

    def __init__(self, directory: Path) -> None:
        self.version = directory.name
        try:
            self._seconds = float(json.loads((directory / "scorer.json").read_text())["seconds"])
        except (OSError, ValueError, KeyError) as error:
            raise ArtifactMismatch(f"{directory}: {error}") from error
        self.warm = False
        self._marker = directory / SCORING

    def warm_up(self) -> None:
        self.warm = True

    def prepare(
        self,
        user: UserRecord | None,
        context: Sequence[ItemRecord],
        candidates: CandidateList,
        items: Mapping[str, ItemRecord],
        sources: Sequence[str],
    ) -> list[float]:
        return [items[id].price or 0.0 if id in items else -1.0 for id in candidates.item_ids]

    def hold(self, blocks: Iterable[StateBlock], tokens: int) -> int:
        raise ValueError("a toy holds no states")

    def needed(self) -> Iterable[tuple[str, str, int]]:
        return [("item", "known", 2), ("query", "read", 1)]

    def run_all(self, prepared: Sequence[list[float]], level: str = "full") -> list[PriceScores]:
        if self._seconds and level == "full":
            self._marker.touch()
            time.sleep(self._seconds)
        return [PriceScores(np.array(prices, np.float32)) for prices in prepared]


def write_model(models: Path, version: str, seconds: float = 0.0) -> None:
    (models / version).mkdir(parents=True)
    (models / version / "scorer.json").write_text(json.dumps({"seconds": seconds}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for something that must come about; fail with its name if it does not."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.01)


def fetch(url: str, body: bytes | None = None, timeout: float = 60.0) -> tuple[int, Any]:
    """Status and JSON (or text) of an answer, also of a refusal."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} if body else {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, _parsed(answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, _parsed(refusal.read())


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode()


@contextmanager
def process(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process of the project, in a group of its own; ended at the end whatever happens."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PACE_")}
    child = subprocess.Popen(
        [sys.executable, *arguments], env={**kept, **environment}, cwd=ROOT, start_new_session=True
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, 9)
                child.wait()


def environment_of(
    valkey_url: str, models: Path, http_port: int, ranker_port: int, metrics_port: int, **more: str
) -> dict[str, str]:
    """Settings for a gateway process and a ranker process that belong together."""
    return {
        "PACE_REDIS__URL": valkey_url,
        "PACE_REDIS__PREFIX": "test",
        "PACE_EVENTS__URL": valkey_url,
        "PACE_GATEWAY__PORT": str(http_port),
        "PACE_GATEWAY__CACHE_TTL_SECONDS": "0",
        "PACE_RANKER__ENDPOINT": f"tcp://127.0.0.1:{ranker_port}",
        "PACE_RANKER__METRICS_PORT": str(metrics_port),
        "PACE_RANKER__POLL_SECONDS": "0.05",
        "PACE_NIGHT__MODELS": str(models),
        **more,
    }
