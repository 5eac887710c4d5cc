"""Which model is served: follows the pointer, loads beside the one at work, swaps whole."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from contract.codec import CandidateList
from contract.errors import ArtifactMismatch, PacesetterError
from contract.records import ItemRecord, Pointer, UserRecord
from contract.states import StateBlock
from online.ranker.metrics import RankerMetrics

log = logging.getLogger(__name__)

# A refused artifact is looked at again after this long: it may have been in the middle of being copied.
RETRY_SECONDS = 30.0


class Scores(Protocol):
    """`final`: float32[n], in the candidates' order; higher is better."""

    @property
    def final(self) -> NDArray[np.float32]: ...


class Scorer(Protocol):
    """A loaded model, `reranker.scoring.Reranker`: scoring in two steps, so that each is timed.

    `history_length`: how many items of a user's history it wants to know; `levels`: those it scores at, the best first;
    `ndcg10`: how well it ranked offline, NaN where unknown; `encode_seconds`: of the last run, for reading texts.
    """

    version: str
    feature_view: str
    vector_space: str
    history_length: int
    ndcg10: float
    encode_seconds: float

    @property
    def levels(self) -> Sequence[Any]: ...

    def warm_up(self) -> None: ...

    def prepare(
        self,
        user: UserRecord | None,
        context: Sequence[ItemRecord],
        candidates: CandidateList,
        items: Mapping[str, ItemRecord],
        sources: Sequence[str],
    ) -> Any: ...

    def run_all(self, prepared: Sequence[Any], level: Any) -> Sequence[Scores]: ...

    def hold(self, blocks: Iterable[StateBlock], tokens: int) -> int: ...

    def share_queries(self, shelf: Any) -> None: ...

    def needed(self) -> Iterable[tuple[str, str, int]]:
        """(item or query, known, fetched or read, how many): texts that scoring needed since it was asked last."""
        ...


Load = Callable[[Path], Scorer]


class ModelWatch:
    """A thread that reads the pointer every `poll_seconds` and makes `serving` what it names.

    `wanted` is the model that the pointer named last. An artifact that does not load is refused: logged,
    counted, and the model before goes on. A withdrawn model ("") is unloaded.
    """

    def __init__(
        self,
        read_pointer: Callable[[], Pointer],
        directory: Path,
        load: Load,
        metrics: RankerMetrics,
        poll_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        follow: Callable[[Pointer, Any], None] = lambda pointer, model: None,
        shelf: Any = None,
    ) -> None:
        """`follow` is told the pointer with the model that serves, and with one that is about to serve; `shelf`, a
        reranker.query_states.QueryShelf, is where models share what they made of queries."""
        self.serving: Scorer | None = None
        self.wanted = ""
        self.refusal = ""
        self._read_pointer = read_pointer
        self._directory = directory
        self._load = load
        self._metrics = metrics
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._follow = follow
        self._shelf = shelf
        self._refused: tuple[str, float] | None = None
        self._away = False
        self._look_now = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="model-watch", daemon=True)

    def start(self) -> None:
        """Look from now on, in the background: while a model loads, requests are refused at once, not kept waiting."""
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._look_now.set()
        if self._thread.is_alive():
            self._thread.join()

    def look_soon(self) -> None:
        """A gateway named a model that this process has not heard of: do not wait for the next poll."""
        self._look_now.set()

    def look(self) -> None:
        """Follow the pointer once; never raises for a store that is away or a model that does not load."""
        try:
            pointer = self._read_pointer()
        except PacesetterError as error:
            if not self._away:
                log.warning("the model stays as it is: %s", error)
            self._away = True
            return
        self._away = False
        self.wanted = pointer.model
        serving = self.serving.version if self.serving is not None else ""
        if pointer.model == serving:
            if self.serving is not None:
                self._follow(pointer, self.serving)
            return
        if not pointer.model:
            log.info("model %s was withdrawn", serving)
            self.serving = None
            self._metrics.show_model("")
            return
        if self._refused is not None:
            version, again_at = self._refused
            if version == pointer.model and self._clock() < again_at:
                return
        self._replace(pointer)

    def _replace(self, pointer: Pointer) -> None:
        began, version = self._clock(), pointer.model
        try:
            if not _is_plain_name(version):
                raise ArtifactMismatch(f"the pointer names model {version!r}, which is no directory's name")
            model = self._load(self._directory / version)
            if model.version != version:
                raise ArtifactMismatch(f"{self._directory / version}: holds model {model.version}, not {version}")
            model.warm_up()
            if self._shelf is not None:
                model.share_queries(self._shelf)
            self._follow(pointer, model)
        except Exception as error:  # whatever is wrong with one model, the other one must go on
            self.refusal = str(error)
            self._refused = (version, self._clock() + RETRY_SECONDS)
            self._metrics.model_loaded("refused")
            if isinstance(error, PacesetterError):
                log.error("model %s is refused: %s", version, error)
            else:
                log.exception("model %s is refused", version)
            return
        self.serving = model
        self.refusal = ""
        self._refused = None
        self._metrics.model_loaded("loaded")
        self._metrics.show_model(version, model.ndcg10)
        log.info("model %s serves, loaded and warm in %.1f s", version, self._clock() - began)

    def _look_safely(self) -> None:
        try:
            self.look()
        except Exception:
            log.exception("following the pointer met an error; it is looked at again")

    def _run(self) -> None:
        while not self._stopping:
            # In a thread that ends: libgomp keeps a pool for every thread that has computed, and where all pools
            # together are more threads than cores, its threads sleep between operations instead of waiting for the
            # next. A model that was loaded in this thread made every score take twice as long (12 ms to 27 on 2 cores).
            looking = threading.Thread(target=self._look_safely, name="model-look", daemon=True)
            looking.start()
            looking.join()
            self._look_now.wait(self._poll_seconds)
            self._look_now.clear()


def _is_plain_name(version: str) -> bool:
    return bool(version) and version not in (".", "..") and "/" not in version and "\0" not in version
