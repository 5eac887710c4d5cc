"""Which item states are held: follows the live generation, reads beside those at work, swaps them whole."""

import logging
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Protocol

from contract.errors import StoreUnreachable
from contract.records import GenerationMeta, Pointer
from contract.states import StateBlock
from online.ranker.metrics import RankerMetrics

log = logging.getLogger(__name__)

# States that were refused are looked at again after this long: another generation is looked at sooner.
RETRY_SECONDS = 30.0


class States(Protocol):
    """The states that generations carry, contract.store.reader.Reader: both raise as it does."""

    def meta(self, generation: int) -> GenerationMeta: ...

    def states(self, meta: GenerationMeta) -> Iterable[StateBlock]: ...


class Holder(Protocol):
    """A model that can hold item states, `reranker.scoring.Reranker`."""

    version: str

    def hold(self, blocks: Iterable[StateBlock], tokens: int) -> int:
        """Make these the states that it scores from, all at once; their bytes. Raises ValueError for another form."""
        ...


class StateFeed:
    """Gives a model the item states of the live generation. For the thread that follows the pointer.

    States that are gone, damaged, or of another form are refused: logged, counted, and those before are scored
    from. States of another model are passed by: the model reads every text on the spot then, once.
    """

    def __init__(self, store: States, metrics: RankerMetrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        # The generation whose states were asked for last, and by which model.
        self._held: int | None = None
        self._model: Callable[[], Holder | None] = lambda: None
        self._refused: tuple[tuple[str, int], float] | None = None

    def follow(self, pointer: Pointer, model: Holder) -> None:
        """Never raises: whatever is wrong with states, the model can score without."""
        wanted = model.version, pointer.generation
        if (self._model() is model and self._held == pointer.generation) or not pointer.generation:
            return
        if self._refused is not None and self._refused[0] == wanted and self._clock() < self._refused[1]:
            return
        began = self._clock()
        try:
            meta = self._store.meta(pointer.generation)
            if meta.states_model != model.version:
                of = f"of model {meta.states_model}" if meta.states_model else "of none"
                self._metrics.holds(0, 0)
                log.info("generation %d has item states %s: %s reads texts on the spot", wanted[1], of, model.version)
                self._done(model, pointer.generation)
                return
            size = model.hold(self._store.states(meta), meta.states_tokens)
        except StoreUnreachable as error:
            log.warning("item states stay as they are: %s", error)
            return
        except Exception as error:  # torch says RuntimeError where memory does not suffice
            self._refused = wanted, self._clock() + RETRY_SECONDS
            self._metrics.states_loaded("refused")
            log.error("item states of generation %d are refused: %s", pointer.generation, error)
            return
        self._done(model, pointer.generation)
        self._metrics.states_loaded("loaded")
        self._metrics.holds(meta.states_texts, size)
        log.info(
            "item states of generation %d: %d texts, %.1f MB, %.0f bytes a text, held after %.1f s",
            pointer.generation,
            meta.states_texts,
            size / 1e6,
            size / max(1, meta.states_texts),
            self._clock() - began,
        )

    def _done(self, model: Holder, generation: int) -> None:
        self._model, self._held, self._refused = weakref.ref(model), generation, None
