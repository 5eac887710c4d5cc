"""What is told of a request when it is over."""

import msgspec

from contract.levels import Level, Reason
from online.gateway.stages import Part, TimingMs
from online.gateway.telemetry.trace import Trace


class Finished(msgspec.Struct, frozen=True, gc=False):
    """`outcome`: ok, refused (4xx) or error (5xx). A request without an answer has no `level`, and all that follows.

    `at` is when it was over, in seconds since 1970; `timing` comes from the laps of its clock: `parts`, and their
    `ends` in microseconds since its start.
    """

    at: float
    route: str
    method: str
    trace: Trace
    outcome: str
    status: int
    timing: TimingMs
    parts: list[Part]
    ends: list[int]
    level: Level | None = None
    degraded: Reason | None = None
    cached: bool | None = None
    generation: int | None = None
    model_version: str | None = None
