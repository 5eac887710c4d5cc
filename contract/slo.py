"""The objectives of ops/slo.yaml and the verdict on a measured value. No data is UNKNOWN, never OK."""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from contract.errors import BadInput


class Verdict(StrEnum):
    OK = "OK"
    MISS = "MISS"
    UNKNOWN = "UNKNOWN"


class Objective(BaseModel):
    """`query` is PromQL that yields one number; the objective holds while it is at most `at_most`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: str
    query: str
    at_most: Annotated[float, Field(allow_inf_nan=False)]
    unit: str


class Objectives(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    objectives: Annotated[list[Objective], Field(min_length=1)]

    @field_validator("objectives")
    @classmethod
    def _named_once(cls, objectives: list[Objective]) -> list[Objective]:
        names = [objective.name for objective in objectives]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"more than one objective is named {', '.join(twice)}")
        return objectives


class Judgement(BaseModel):
    """One objective, what was measured, and the verdict."""

    model_config = ConfigDict(frozen=True)

    objective: Objective
    value: float | None
    verdict: Verdict
    why: str


def read_objectives(path: Path) -> list[Objective]:
    """Raises BadInput naming the file and the entry that does not hold."""
    try:
        return Objectives.model_validate(yaml.safe_load(path.read_text())).objectives
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def judge(objective: Objective, value: float | None, why_none: str = "no data") -> Judgement:
    """MISS only on a number above the bound; None and NaN are UNKNOWN, with the reason."""
    if value is None or math.isnan(value):
        return Judgement(objective=objective, value=None, verdict=Verdict.UNKNOWN, why=why_none)
    held = value <= objective.at_most
    return Judgement(
        objective=objective,
        value=value,
        verdict=Verdict.OK if held else Verdict.MISS,
        why=f"{value:.6g} {objective.unit} {'<=' if held else '>'} {objective.at_most:.6g} {objective.unit}",
    )
