"""What happened when, in seconds since the drill began: printed as it happens, kept for the verdict."""

import threading
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

Kind = Literal["phase", "firing", "resolved", "mail", "check", "note"]
Phase = Literal["start", "control", "injection", "recovery", "end"]

WORDS: dict[Kind, str] = {
    "phase": "==",
    "firing": "ALERT FIRES:",
    "resolved": "alert is over:",
    "mail": "MAIL:",
    "check": "sla_check:",
    "note": " ",
}


class Event(NamedTuple):
    """`name`: of the phase, of the alert, a mail's subject, the state of a run. `detail`: an alert's severity, what a
    mail says of the stage that grew, or words for people. `at` is in seconds."""

    at: float
    kind: Kind
    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {WORDS[self.kind]} {self.name}" + (f"  ({self.detail})" if self.detail else "")


class Timeline:
    """May be told from several threads."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self.events: list[Event] = []

    def tell(self, kind: Kind, name: str, detail: str = "") -> None:
        with self._lock:
            event = Event(self._clock() - self._began, kind, name, detail)
            self.events.append(event)
            self._say(str(event))
