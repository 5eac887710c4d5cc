"""The recommend call that the demo makes, and for whom."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import requests
from upath import UPath

from contract.errors import PacesetterError
from contract.keys import Keys
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.reader import Reader

READY_SECONDS = 120.0
POLL_SECONDS = 0.5
ANSWER_SECONDS = 15.0


class NoAnswer(PacesetterError):
    """The gateway gave no slate, or none that the model ranked."""


class Query(NamedTuple):
    user: str | None
    item: str | None

    def __str__(self) -> str:
        return f"user {self.user or 'unknown'}, context item {self.item or 'none'}"


def choose_query(settings: Settings, generation: int) -> Query:
    """The user and item of the settings where the generation knows them; else the first that it has candidates for."""
    demo = settings.demo
    client = connect(settings.redis.url, settings.redis.publish_timeout_seconds, settings.redis.cluster)
    known = Reader(client, Keys(settings.redis.prefix)).query(generation, demo.user, [demo.item])
    return Query(
        demo.user if known.user_candidates else first_key(settings, "user"),
        demo.item if demo.item in known.item_candidates else first_key(settings, "item"),
    )


def first_key(settings: Settings, kind: str) -> str | None:
    """The first key of `kind` in the newest candidates of the lake."""
    table = UPath(settings.night.lake) / "candidates"
    for day in sorted((path for path in table.iterdir() if path.name.startswith("day=")), reverse=True):
        for file in sorted(path for path in day.iterdir() if path.name.endswith(".parquet")):
            with file.open("rb") as opened:
                keys: Sequence[str] = pq.read_table(opened, columns=["key"], filters=[("kind", "=", kind)])[
                    "key"
                ].to_pylist()
            if keys:
                return keys[0]
    return None


def first_answer(settings: Settings, query: Query, n: int = 10) -> dict[str, Any]:
    """The slate for `query` once the model ranks it. Raises NoAnswer with what the gateway said last."""
    url = f"http://{settings.gateway.host}:{settings.gateway.port}/recommend"
    body = {"user_id": query.user, "item_ids": [query.item] if query.item else [], "n": n, "timeout_ms": 5000}
    session = requests.Session()
    session.trust_env = False
    deadline = time.monotonic() + READY_SECONDS
    last = "nothing"
    while time.monotonic() < deadline:
        try:
            answer = session.post(url, json=body, timeout=ANSWER_SECONDS)
            last = f"{answer.status_code} {answer.text[:500]}"
            if answer.ok and answer.json()["level"] == "full":
                return answer.json()
        except requests.RequestException as error:
            last = str(error)
        time.sleep(POLL_SECONDS)
    raise NoAnswer(
        f"the model has ranked no answer within {READY_SECONDS:.0f} s (see ranker.log and gateway.log); "
        f"the last answer was: {last}"
    )
