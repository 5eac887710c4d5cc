"""A verdict as it is remembered: one row of the lake's table `slo_verdicts`."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from contract.slo import Verdict

# What became of the mail that a row caused. A row that causes none has NONE, too.
NONE, SENDING, SENT, FAILED, IN_DOUBT = "", "sending", "sent", "failed", "in doubt"


@dataclass(frozen=True)
class Record:
    """One objective, judged at one time (UTC) by one run of sla_check.

    `value` and `bound` are in the objective's unit, a share of events from 0 to 1; `shown` is the value with its unit.
    `budget_left` is a share of the error budget of `budget_seconds`, negative once overspent, None where there is no
    budget or nobody knows. `answered`: Prometheus was there. `trainable`: a newer model may cure a miss.

    `episode` is the one that the row begins, belongs to or ends, `mail` what became of the mail that it caused.
    `set_off`: it set off a training.
    """

    time: datetime
    run: str
    objective: str
    verdict: str
    why: str
    kind: str = ""
    description: str = ""
    promised: str = ""
    value: float | None = None
    shown: str = ""
    bound: float | None = None
    at_most: bool | None = None
    window_seconds: int | None = None
    budget_left: float | None = None
    budget_seconds: int | None = None
    answered: bool = True
    trainable: bool = False
    episode: str = ""
    mail: str = NONE
    mailed_at: datetime | None = None
    set_off: bool = False

    @property
    def key(self) -> tuple[str, datetime]:
        """No two rows have the same: a run that is repeated adds what it has not added yet."""
        return self.objective, self.time

    @property
    def missed(self) -> bool:
        return self.verdict == Verdict.MISS

    @property
    def unknown(self) -> bool:
        return self.verdict == Verdict.UNKNOWN

    def as_json(self) -> dict[str, Any]:
        """For XCom; neither the mail nor the episode is known there."""
        return asdict(self) | {"time": self.time.isoformat()}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Self:
        return cls(**given | {"time": datetime.fromisoformat(given["time"])})
