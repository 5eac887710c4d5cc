"""Asks several sources at once, each for itself: one that is away, broken or slow costs the page its own part alone."""

import logging
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, NamedTuple

from contract.errors import PacesetterError
from pacesetter_airflow.objectives.prometheus import NoAnswer, Refused

# Of a whole page. Sources that know a timeout of their own are given a shorter one.
PATIENCE_SECONDS = 5.0
# Questions that are open at once, a thread each; a further one is not asked, and told as not answered.
MOST_OPEN = 16

log = logging.getLogger(__name__)


class Busy(PacesetterError):
    """Too many questions are open already."""


class Question(NamedTuple):
    """`missing` is what the page lacks without an answer, `advice` what to do then."""

    source: str
    missing: str
    advice: str
    ask: Callable[[], Any]


@dataclass(frozen=True)
class Trouble:
    """A source that gave no answer, why, what the page lacks for it, and what to do."""

    source: str
    why: str
    missing: str
    advice: str


class Asker:
    """A question that is still open is not asked again: whoever comes next waits for the same answer.

    So a source that hangs holds one thread, however many pages are open; and none holds up the end of the process.
    """

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._open: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    def all(self, questions: Mapping[str, Question]) -> tuple[dict[str, Any], list[Trouble]]:
        """The answers by their keys, without those of troubles. A key tells a question from every other one."""
        futures = {key: self._future(key, question.ask) for key, question in questions.items()}
        wait(futures.values(), self._patience_seconds)
        answers, troubles = {}, []
        for key, future in futures.items():
            why = self._why_none(future)
            if why:
                source, missing, advice, _ = questions[key]
                troubles.append(Trouble(source, why, missing, advice))
            else:
                answers[key] = future.result()
        return answers, troubles

    def _why_none(self, future: "Future[Any]") -> str:
        if not future.done():
            return f"no answer within {self._patience_seconds:g} s"
        error = future.exception()
        return told(error) if error else ""

    def _future(self, key: str, ask: Callable[[], Any]) -> "Future[Any]":
        with self._lock:
            if key in self._open:
                return self._open[key]
            future: Future[Any] = Future()
            if len(self._open) == MOST_OPEN:
                future.set_exception(Busy(f"{MOST_OPEN} questions of pages are open already: load the page again"))
                return future
            self._open[key] = future
        # Not of a pool: the interpreter waits for those at its end.
        thread = threading.Thread(target=self._answer, args=(key, ask, future), name=f"console {key}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the process may have no more of them
            self._done(key)
            future.set_exception(error)
        return future

    def _answer(self, key: str, ask: Callable[[], Any], future: "Future[Any]") -> None:
        try:
            answer, error = ask(), None
        except BaseException as raised:  # whatever it is, the question is not open any more
            answer, error = None, raised
        self._done(key)
        if error is None:
            future.set_result(answer)
        else:
            future.set_exception(error)

    def _done(self, key: str) -> None:
        with self._lock:
            del self._open[key]


def told(error: BaseException) -> str:
    """The text of an error of ours, which says what to do; of any other with its kind. Without passwords of URLs."""
    if isinstance(error, PacesetterError | NoAnswer | Refused):
        text = str(error)
    else:
        log.warning("a source of the page failed", exc_info=error)
        text = f"{type(error).__name__}: {error}"
    return re.sub(r"//[^/\s]+@", "//***@", text)
