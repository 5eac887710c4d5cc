"""Recommend calls at a steady rate, each of another user and item."""

import statistics
import threading
import time
from collections import Counter
from typing import NamedTuple

import requests

from contract.settings import Settings
from ops.drill.places import loopback_session
from ops.drill.shop import Shop

PER_SECOND = 4  # a call of 180 ms must not wait for the one before it
ANSWER_SECONDS = 15.0


class Taken(NamedTuple):
    """What was answered since it was asked last: milliseconds of each call, and how many by level or failure."""

    milliseconds: list[float]
    levels: Counter[str]

    def __str__(self) -> str:
        if not self.milliseconds:
            return "none"
        levels = ", ".join(f"{count} {level}" for level, count in self.levels.most_common())
        return (
            f"{levels}; median {statistics.median(self.milliseconds):.0f} ms, slowest {max(self.milliseconds):.0f} ms"
        )


class Traffic:
    """Calls from a thread of its own while the block is entered."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"{settings.monitoring.gateway_url}/recommend"
        self._queries = Shop().queries()
        self._session = loopback_session()
        self._lock = threading.Lock()
        self._taken = Taken([], Counter())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    def __enter__(self) -> "Traffic":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def taken(self) -> Taken:
        with self._lock:
            found, self._taken = self._taken, Taken([], Counter())
        return found

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            began = time.perf_counter()
            level = self._ask()
            spent = 1000 * (time.perf_counter() - began)
            with self._lock:
                self._taken.milliseconds.append(spent)
                self._taken.levels[level] += 1
            due = max(due + 1 / PER_SECOND, time.monotonic())

    def _ask(self) -> str:
        query = next(self._queries)
        body = {"user_id": query.user.user_id, "item_ids": [query.context.item_id]}
        try:
            answer = self._session.post(self._url, json=body, timeout=ANSWER_SECONDS)
            return str(answer.json()["level"]) if answer.ok else f"status {answer.status_code}"
        except requests.RequestException as error:  # an answer that is no JSON, too
            return type(error).__name__
