"""What is popular, held in memory: the answer when Redis is not there, and the pulse that keeps it fresh."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from contract.codec import CandidateList, encode_candidates
from contract.errors import CorruptValue, NoGeneration, StoreUnreachable
from contract.frames import RankReply
from contract.records import ItemRecord, Pointer, Through
from contract.store.reader import Reader
from online.gateway.breaker import Breaker
from online.gateway.generations import EVERYONE, Generations
from online.gateway.metrics import GatewayMetrics
from online.gateway.ranker_client import RankingFailed
from online.gateway.ranker_pool import RankerPool

log = logging.getLogger(__name__)

PING_SECONDS = 0.2
PROBE_SECONDS = 0.2  # between pulses while the store or the ranker is down

Health = Literal["ok", "unreachable", "no_generation", "corrupt_value"]


@dataclass(frozen=True)
class Standby:
    """The last generation seen live, as far as a fallback needs it."""

    pointer: Pointer
    created_at: float
    popular: CandidateList
    items: dict[str, ItemRecord]
    sources: tuple[str, ...]
    through: Through


class Pulse:
    """A thread that reads the pointer, keeps `standby`, and asks the ranker whether it lives.

    It is the only one to ask a store or a ranker whose breaker is open, and closes the breaker when an
    answer comes. `standby` is None until a generation has been seen; it is swapped whole.
    """

    def __init__(
        self,
        reader: Reader,
        generations: Generations,
        breaker: Breaker,
        ranker: RankerPool,
        metrics: GatewayMetrics,
        refresh_seconds: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.standby: Standby | None = None
        self._seen: Health | None = None  # until the first look
        self.ranker = "not asked yet"
        self._reader = reader
        self._generations = generations
        self._breaker = breaker
        self._ranker_client = ranker
        self._metrics = metrics
        self._refresh_seconds = refresh_seconds
        self._now = now
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    @property
    def store(self) -> Health:
        """What the last beat saw; requests that found the store silent need not wait for the next one."""
        return "unreachable" if self._breaker.is_open or self._seen is None else self._seen

    def start(self) -> None:
        """Beat once here and now, as the warm-up, then go on in the background."""
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def beat(self) -> None:
        """One look at store and ranker; never raises for what they do."""
        before = self._seen
        try:
            self._look_at_store()
            self._seen = "ok"
            if before in ("unreachable", "corrupt_value"):
                log.info("store: it is back")
        except StoreUnreachable as error:
            self._breaker.failed()
            self._seen = "unreachable"
            self._say(before, error)
        except NoGeneration as error:
            self._breaker.succeeded()
            self._seen = "no_generation"
            self._say(before, error)
        except CorruptValue as error:
            self._breaker.succeeded()
            self._seen = "corrupt_value"
            self._say(before, error)
        if self.standby is not None:
            age_seconds = self._now() - self.standby.created_at
            self._metrics.show_generation(self.standby.pointer.generation, age_seconds, self.standby.through)
        self._look_at_ranker()

    def _look_at_store(self) -> None:
        pointer = self._reader.pointer()
        self._breaker.succeeded()
        if not pointer.generation:
            raise NoGeneration("nothing has been published: run candidates_daily or `python -m jobs publish`")
        seen = self.standby
        if seen is not None and seen.pointer == pointer:
            return
        meta = self._generations.meta(pointer.generation)
        if seen is not None and seen.pointer.generation == pointer.generation:
            popular, items = seen.popular, seen.items
        else:
            lists = self._generations.popular(pointer.generation, [EVERYONE])
            popular = lists[0] if lists else CandidateList.empty(len(meta.sources))
            items = self._generations.items(pointer.generation, popular.item_ids)
        self.standby = Standby(pointer, meta.created_at, popular, items, meta.sources, meta.through)

    def _look_at_ranker(self) -> None:
        pointer = self.standby.pointer if self.standby is not None else Pointer()
        try:
            answer = self._ranker_client.ping(
                pointer.generation, pointer.model, encode_candidates(CandidateList.empty(0)), PING_SECONDS
            )
        except RankingFailed as error:
            self.ranker = str(error)
        else:
            self.ranker = (
                f"serves {answer.model}" if isinstance(answer, RankReply) else f"{answer.code}: {answer.detail}"
            )

    def _say(self, before: Health | None, error: Exception) -> None:
        if before != self._seen:
            log.warning("store: %s; answers fall back to what is in memory", error)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause()):
            try:
                self.beat()
            except Exception:
                log.exception("the pulse met an error and goes on")

    def _pause(self) -> float:
        down = self.store == "unreachable" or self._ranker_client.is_silent
        return min(PROBE_SECONDS, self._refresh_seconds) if down else self._refresh_seconds
