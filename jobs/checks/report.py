"""The text of a failed validation: it is the mail, so it must say enough to act on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

from jobs.checks.check import Check

SAMPLES = 10
# What of an expectation's arguments is no bound.
_NOT_BOUNDS = frozenset({"column", "column_A", "column_B", "column_list", "batch_id"})
_MAX_SAMPLE_CHARACTERS = 160
_MAX_ERROR_CHARACTERS = 500


@dataclass(frozen=True)
class Failure:
    """One expectation that did not hold; `str` of it is its paragraph in the mail.

    `blocking`: the night must stop, else it is a warning. `samples`: up to SAMPLES rows that failed,
    as their keys and the columns in question. `errors`: why it could not be evaluated, if so.
    """

    check: str
    table: str
    expectation: str
    columns: tuple[str, ...]
    blocking: bool
    bound: str
    observed: str
    samples: tuple[dict[str, Any], ...]
    errors: tuple[str, ...]
    notes: str

    def __str__(self) -> str:
        lines = [
            f"suite {self.check}, table {self.table}",
            f"bound: {self.bound}",
            *([f"observed: {self.observed}"] if self.observed else []),
            *(f"  {_shown(sample)}" for sample in self.samples),
            *(f"it could not be evaluated: {error}" for error in self.errors),
            self.notes,
        ]
        head = f"{self.expectation} on {', '.join(self.columns) or 'the whole table'}"
        return "\n".join([head, *(f"  {line}" for line in lines)])


def failures(check: Check, result: ExpectationSuiteValidationResult) -> list[Failure]:
    """The expectations of one check that did not hold, in the suite's order."""
    return [_failure(check, each) for each in result.results if not each.success]


def _failure(check: Check, each: ExpectationValidationResult) -> Failure:
    config = each.expectation_config
    named = [config.kwargs.get(name) for name in ("column", "column_A", "column_B")]
    columns = tuple(name for name in [*named, *config.kwargs.get("column_list", [])] if name)
    bounds = {name: value for name, value in config.kwargs.items() if name not in _NOT_BOUNDS}
    return Failure(
        check.name,
        check.table,
        config.type,
        columns,
        blocking=config.severity == "critical",
        bound=", ".join(f"{name} {value}" for name, value in bounds.items()) or "every row",
        observed=_observed(each.result),
        samples=tuple(_samples(each.result, columns)),
        errors=tuple(_errors(each.exception_info or {})),
        notes=config.notes or "",
    )


def _observed(result: dict[str, Any]) -> str:
    if "unexpected_count" not in result:
        return str(result.get("observed_value", ""))
    percent = result["unexpected_percent"]
    share = "" if percent is None else f" ({percent:.4g}%)"
    return f"{result['unexpected_count']:,} unexpected of {result['element_count']:,} rows{share}"


def _samples(result: dict[str, Any], columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    with_keys = result.get("partial_unexpected_index_list")
    if with_keys:
        yield from with_keys[:SAMPLES]
        return
    for value in (result.get("partial_unexpected_list") or [])[:SAMPLES]:
        yield dict(zip(columns, value if len(columns) > 1 else [value], strict=True))


def _shown(sample: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in sample.items())[:_MAX_SAMPLE_CHARACTERS]


def _errors(info: dict[str, Any]) -> list[str]:
    """One error of the whole expectation, or one for each of its metrics; Spark puts the cause first."""
    each = [info] if "raised_exception" in info else info.values()
    return sorted(
        {str(error["exception_message"])[:_MAX_ERROR_CHARACTERS] for error in each if error["raised_exception"]}
    )
