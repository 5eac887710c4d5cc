"""The scenario: what a dataset's events mean, and what the model reads of them. A YAML file that people edit.

`ops/scenario.yaml` is that of the sample. A file says everything: there are no defaults that it would hide.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from contract.errors import BadInput
from contract.schemas import EVENT_TYPES

Task = Literal["basket", "next_visit"]
AtLeastOne = Annotated[int, Field(ge=1)]

ATTRIBUTE = "attributes."
PARTS = ("title", "categories", "text")
# An impression is the server's doing, not the user's.
POSITIVE = tuple(name for name in EVENT_TYPES if name != "impression")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, given: Any) -> Any:
        if not isinstance(given, dict | BaseModel):
            raise ValueError(f"wants {', '.join(cls.model_fields)}, each with its value")
        for name in given if isinstance(given, dict) else ():
            if name not in cls.model_fields:
                raise ValueError(f"no field {name!r}; there are {', '.join(cls.model_fields)}")
        return given


class SessionRule(_Section):
    """What belongs together. `given`: a session id that is there is believed; the events of a user without one are
    split at each silence longer than `gap_seconds`. `silence`: so are all events of a user, whatever their ids.
    """

    rule: Literal["given", "silence"]
    gap_seconds: AtLeastOne


class Positive(_Section):
    """Which events say that the user wanted the item; a rating only from `rating_from` on."""

    types: Annotated[tuple[str, ...], Field(min_length=1)]
    rating_from: Annotated[float, Field(allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _holds(self) -> "Positive":
        for name in self.types:
            if name not in POSITIVE:
                raise ValueError(f"types: no event type {name!r} can be positive; there are {', '.join(POSITIVE)}")
        if "rating" in self.types and self.rating_from is None:
            raise ValueError("rating_from: say from which value on a rating is positive, or leave rating out of types")
        return self

    def __str__(self) -> str:
        ratings = f", ratings from {self.rating_from:g}" if "rating" in self.types else ""
        return f"positive are {', '.join(self.types)}{ratings}"


class Part(_Section):
    """One part of an item's text, cut after so many `characters` at the end of a word; its name alone: uncut."""

    part: str
    characters: AtLeastOne | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"part": given} if isinstance(given, str) else given

    @field_validator("part")
    @classmethod
    def _known(cls, part: str) -> str:
        if part not in PARTS and (not part.startswith(ATTRIBUTE) or part == ATTRIBUTE):
            raise ValueError(f"no part {part!r}; there are {', '.join(PARTS)}, and {ATTRIBUTE}NAME of any attribute")
        return part


Parts = Annotated[tuple[Part, ...], Field(min_length=1)]


class QueryTemplate(_Section):
    """What the network reads of a query: the items of `order` one after another, each by its parts `item`.

    `history`: how many of the user's newest items, at most.
    """

    order: Annotated[tuple[Literal["context", "history"], ...], Field(min_length=1)]
    history: Annotated[int, Field(ge=0)]
    item: Parts

    @field_validator("order")
    @classmethod
    def _once(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(order)) != len(order):
            raise ValueError("name context and history once each")
        return order

    @property
    def history_length(self) -> int:
        """How many items of a history whoever builds the text must know."""
        return self.history if "history" in self.order else 0


class TextTemplate(_Section):
    """What the network reads of a candidate (`item`: parts in this order) and of a query. A model carries its own."""

    item: Parts
    query: QueryTemplate


class Scenario(_Section):
    """One dataset. `task`: what the model learns; `users`: false where no event has a user that is to be known;
    `repeats`: false where what a user chose once is not proposed to them again.
    """

    task: Task
    users: bool
    repeats: bool
    sessions: SessionRule
    positive: Positive
    text: TextTemplate

    @model_validator(mode="after")
    def _holds(self) -> "Scenario":
        if self.task == "next_visit" and not self.users:
            raise ValueError("task: next_visit asks what a user comes back for: it wants users: true; else take basket")
        return self


def read_scenario(path: str | Path) -> Scenario:
    """Raises BadInput naming the file, every field that does not hold, and what is allowed there."""
    try:
        return Scenario.model_validate(yaml.safe_load(Path(path).read_text()))
    except OSError as error:
        raise BadInput(
            f"scenario {path} (in {Path.cwd()}): {error.strerror}; PACE_NIGHT__SCENARIO names the file"
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInput(f"scenario {path}: {error}") from error
    except ValidationError as error:
        raise BadInput(f"scenario {path}: {problems(error)}") from error


def problems(error: ValidationError) -> str:
    """Every field that does not hold, and what is allowed there, in one line."""
    return "; ".join(map(_said, error.errors()))


def _said(problem: Any) -> str:
    where = ".".join(map(str, problem["loc"]))
    what = problem["msg"].removeprefix("Value error, ")
    if problem["type"] not in ("missing", "value_error"):
        what += f" (is {problem['input']!r})"
    return f"{where}: {what}" if where else what
