"""Runs checks through Great Expectations, one frame at a time."""

from collections.abc import Sequence

from great_expectations.core import ExpectationSuite, ExpectationSuiteValidationResult

from jobs.checks.check import Check, Scope
from jobs.checks.docs import DataDocs
from jobs.checks.report import SAMPLES, Failure, failures


def run_checks(scope: Scope, docs: DataDocs, wanted: Sequence[Check], known: Sequence[Check]) -> list[Failure]:
    """Run `wanted` and write Data Docs, in which every suite of `known` has its page.

    Returns what did not hold, in order; raises BadInput where a table lacks the day.
    """
    suites = {
        check.name: docs.describe(ExpectationSuite(name=check.name, expectations=check.expectations(scope)))
        for check in known
    }
    # The frames are cached here, and given back: Great Expectations would keep each until the end.
    source = docs.context.data_sources.add_spark("lake", persist=False)
    failed: list[Failure] = []
    for check in wanted:
        frame = check.frame(scope).persist()
        try:
            batch = source.add_dataframe_asset(check.name).add_batch_definition_whole_dataframe(scope.day)
            result: ExpectationSuiteValidationResult = batch.get_batch({"dataframe": frame}).validate(
                suites[check.name],
                result_format={
                    "result_format": "SUMMARY",
                    "partial_unexpected_count": SAMPLES,
                    "unexpected_index_column_names": list(check.keys),
                }
                if check.keys
                else {"result_format": "SUMMARY", "partial_unexpected_count": SAMPLES},
            )
        finally:
            frame.unpersist()
        docs.keep(result, scope.day, scope.now)
        found = failures(check, result)
        failed += found
        print(f"  {check.name}: {len(result.results) - len(found)} of {len(result.results)} expectations hold")
    docs.build()
    return failed
