"""The text of a failed validation: it is the mail, so it must say enough to act on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

from jobs.checks.check import Check

SAMPLES = 10
# What of an expectation's arguments is no bound.
_NOT_BOUNDS = frozenset({"column", "column_A", "column_B", "column_list", "batch_id"})
_MAX_SAMPLE_CHARACTERS = 120


@dataclass(frozen=True)
class Failure:
    """One expectation that did not hold. `blocking`: the night must stop; else it is a warning."""

    blocking: bool
    text: str


def failures(check: Check, result: ExpectationSuiteValidationResult) -> list[Failure]:
    """The expectations of one check that did not hold, in the suite's order."""
    return [
        Failure(each.expectation_config.severity == "critical", "\n".join(_lines(check, each)))
        for each in result.results
        if not each.success
    ]


def _lines(check: Check, each: ExpectationValidationResult) -> Iterator[str]:
    config = each.expectation_config
    arguments = config.kwargs
    columns = [arguments.get(name) for name in ("column", "column_A", "column_B")] + arguments.get("column_list", [])
    named = ", ".join(column for column in columns if column) or "(the whole table)"
    yield f"{config.type} on {named}"
    yield f"  suite {check.name}, table {check.table}"
    bounds = {name: value for name, value in arguments.items() if name not in _NOT_BOUNDS}
    yield "  bound: " + (", ".join(f"{name} {value}" for name, value in bounds.items()) or "none may fail it")
    yield from _observed(each.result)
    for error in _errors(each.exception_info):
        yield f"  it could not be evaluated: {error}"
    if config.notes:
        yield f"  {config.notes}"


def _observed(result: dict[str, Any]) -> Iterator[str]:
    if "observed_value" in result:
        yield f"  observed: {result['observed_value']}"
    if "unexpected_count" in result:
        percent = result["unexpected_percent"]
        share = "" if percent is None else f" ({percent:.4g}%)"
        yield f"  observed: {result['unexpected_count']:,} unexpected of {result['element_count']:,} rows{share}"
    samples = result.get("partial_unexpected_index_list") or result.get("partial_unexpected_list") or []
    for sample in samples[:SAMPLES]:
        text = (
            ", ".join(f"{name}={value!r}" for name, value in sample.items())
            if isinstance(sample, dict)
            else repr(sample)
        )
        yield f"    {text[:_MAX_SAMPLE_CHARACTERS]}"


def _errors(info: dict[str, Any] | None) -> Iterator[str]:
    if not info:
        return
    if "raised_exception" in info:
        if info["raised_exception"]:
            yield str(info.get("exception_message"))
        return
    yield from sorted({str(each.get("exception_message")) for each in info.values() if each.get("raised_exception")})
