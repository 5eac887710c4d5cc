"""The verdict on a measured value."""

import math
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from contract.slo.burn import target_share
from contract.slo.schema import EventObjective, Objective


class Verdict(StrEnum):
    OK = "OK"
    MISS = "MISS"
    UNKNOWN = "UNKNOWN"


class Judgement(BaseModel):
    """One objective, what was measured, and the verdict."""

    model_config = ConfigDict(frozen=True)

    objective: Objective
    value: float | None
    verdict: Verdict
    why: str


def judge(objective: Objective, value: float | None, why_none: str = "no data") -> Judgement:
    """`value` is what contract.slo.value_query yields. MISS only on a number past the bound; None and NaN are UNKNOWN,
    with the reason."""
    if value is None or math.isnan(value):
        return Judgement(objective=objective, value=None, verdict=Verdict.UNKNOWN, why=why_none)
    bound, at_most = bound_of(objective)
    held = value <= bound if at_most else value >= bound
    sign = ("<=" if held else ">") if at_most else (">=" if held else "<")
    return Judgement(
        objective=objective,
        value=value,
        verdict=Verdict.OK if held else Verdict.MISS,
        why=f"{with_unit(objective, value)} {sign} {with_unit(objective, bound)}",
    )


def bound_of(objective: Objective) -> tuple[float, bool]:
    """The bound of the value, and whether it is an upper one."""
    if isinstance(objective, EventObjective):
        return target_share(objective.percent), False
    if objective.at_most is not None:
        return objective.at_most, True
    assert objective.at_least is not None
    return objective.at_least, False


def bound_text(objective: Objective) -> str:
    """`at least 99 %`, `at most 129600 s`."""
    bound, at_most = bound_of(objective)
    return f"at {'most' if at_most else 'least'} {with_unit(objective, bound)}"


def with_unit(objective: Objective, value: float) -> str:
    """A share of events as a percentage, a gauge in its unit."""
    if isinstance(objective, EventObjective):
        return f"{value * 100:.6g} %"
    return f"{value:.6g} {objective.unit}".rstrip()
