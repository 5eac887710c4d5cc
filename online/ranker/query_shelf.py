"""Keys and values of queries in Redis, for the scoring thread: reads are bounded, writes wait in the background."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

from contract.errors import StoreUnreachable

log = logging.getLogger(__name__)

# At most this many wait to be written, 0.4 MB each; more are dropped: the next ranker reads that query itself.
WAITING = 32
# After a failure the store is left alone for so long: every request would wait its timeout otherwise.
PAUSE_SECONDS = 5.0


class Store(Protocol):
    """contract.store.query_states.QueryStates: both raise StoreUnreachable."""

    def get(self, key: bytes) -> bytes | None: ...

    def put(self, key: bytes, value: bytes) -> None: ...


class SharedQueries:
    """A reranker.query_states.QueryShelf. Never raises; a store that is away has nothing, and is told once."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._again_at = float("-inf")
        self._waiting: queue.Queue[tuple[bytes, bytes] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._write, name="query-states", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def get(self, key: bytes) -> bytes | None:
        if self._clock() < self._again_at:
            return None
        try:
            return self._store.get(key)
        except StoreUnreachable as error:
            self._failed(error)
            return None

    def put(self, key: bytes, value: bytes) -> None:
        try:
            self._waiting.put_nowait((key, value))
        except queue.Full:
            log.debug("a query's states are not shared: %d wait to be written", WAITING)

    def _write(self) -> None:
        while (item := self._waiting.get()) is not None:
            if self._clock() < self._again_at:
                continue
            try:
                self._store.put(*item)
            except StoreUnreachable as error:
                self._failed(error)

    def _failed(self, error: StoreUnreachable) -> None:
        log.warning("states of queries are not shared for %.0f s: %s", PAUSE_SECONDS, error)
        self._again_at = self._clock() + PAUSE_SECONDS
