"""What is told of a request when it is over."""

from typing import NamedTuple

from contract.levels import Level, Reason
from online.gateway.stages import Lap, TimingMs
from online.gateway.telemetry.trace import Trace


class Finished(NamedTuple):
    """`outcome`: ok, refused (4xx) or error (5xx). A request without an answer has no `level`, and all that follows.

    `at` is when it was over, in seconds since 1970; `laps` are where `timing` comes from, in the order of time.
    """

    at: float
    route: str
    method: str
    trace: Trace
    outcome: str
    status: int
    timing: TimingMs
    laps: list[Lap]
    level: Level | None = None
    degraded: Reason | None = None
    cached: bool | None = None
    generation: int | None = None
    model_version: str | None = None
