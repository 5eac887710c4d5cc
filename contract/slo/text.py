"""Texts of the file that come out elsewhere: in alerts and dashboards, or in what is said of a mistake."""

from typing import Annotated, Any

from pydantic import AfterValidator

_SHOWN = 60


def shown(given: Any) -> str:
    """A value as it is told of: never longer than a line, however much stands there."""
    match given:
        case None:
            return "empty"
        case bool():
            return str(given).lower()
        case dict():
            return "a mapping"
        case list() | tuple() | set():
            return "a list" if given else "an empty list"
        case str():
            return repr(given if len(given) <= _SHOWN else f"{given[:_SHOWN]}...")
        case int() if abs(given) >= 10**_SHOWN:
            return f"a number of more than {_SHOWN} digits"
    return str(given)


def untemplated(given: str) -> str:
    """Raises ValueError: braces that mean something to Prometheus, which expands the texts of alerts."""
    for braces in ("{{", "}}"):
        if braces in given:
            raise ValueError(f"has {braces}, which Prometheus would read as a template: leave the braces out")
    return given


def _not_blank(given: str) -> str:
    if not given.strip():
        raise ValueError("is blank: say what is promised")
    return given


Description = Annotated[str, AfterValidator(_not_blank), AfterValidator(untemplated)]
Unit = Annotated[str, AfterValidator(untemplated)]
