"""Slates on their way to the event stream, off the request path."""

import logging
import threading
from collections import deque

from contract.errors import StoreUnreachable
from contract.store.impressions import Impression, ImpressionLog
from online.gateway.metrics import GatewayMetrics

log = logging.getLogger(__name__)

# A thread that wakes every so often costs less than a wake-up a request. At 25 requests/s with caches full of a
# ranker's work, ten times a second cost 0.1 ms a request. A gateway that is killed loses what this time has brought.
DRAIN_SECONDS = 0.5
RETRY_SECONDS = 0.5
BATCH = 500


class ImpressionQueue:
    """At most `waiting` impressions are held; what finds no room is dropped and counted, never waited for.

    While the events instance is away, the oldest ones wait and are offered again.
    """

    def __init__(self, stream: ImpressionLog, metrics: GatewayMetrics, waiting: int) -> None:
        self._stream = stream
        self._metrics = metrics
        self._waiting = waiting
        self._queue: deque[Impression] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="impressions", daemon=True)
        self._away = False

    def start(self) -> None:
        self._thread.start()

    def offer(self, impression: Impression) -> None:
        if len(self._queue) >= self._waiting:
            self._metrics.impressions("dropped")
        else:
            self._queue.append(impression)

    def stop(self) -> None:
        """Write what is held, once; what cannot be written is dropped and counted."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self.drain()
        if self._queue:
            self._metrics.impressions("dropped", len(self._queue))
            log.warning("%d impressions were not written: the events instance is away", len(self._queue))
            self._queue.clear()

    def drain(self) -> bool:
        """Write everything held; False if the events instance does not take it."""
        while self._queue:
            batch = [self._queue[i] for i in range(min(BATCH, len(self._queue)))]
            try:
                self._stream.append(batch)
            except StoreUnreachable as error:
                if not self._away:
                    log.warning("impressions wait: %s", error)
                self._away = True
                return False
            self._away = False
            for _ in batch:
                self._queue.popleft()
            self._metrics.impressions("written", len(batch))
        return True

    def _run(self) -> None:
        pause = DRAIN_SECONDS
        while not self._stopping.wait(pause):
            try:
                pause = DRAIN_SECONDS if self.drain() else RETRY_SECONDS
            except Exception:
                log.exception("writing impressions met an error and goes on")
