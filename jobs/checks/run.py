"""Runs checks through Great Expectations, one frame at a time."""

from collections.abc import Sequence
from typing import Any

from great_expectations.core import ExpectationSuite, ExpectationSuiteValidationResult
from great_expectations.datasource.fluent.interfaces import Batch

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
            data = source.add_dataframe_asset(check.name).add_batch_definition_whole_dataframe(scope.day)
            result = _validated(data.get_batch({"dataframe": frame}), suites[check.name], check.keys)
        finally:
            frame.unpersist()
        found = failures(check, result)
        # On its page a suite has failed only if the night must stop; a warning shows at its expectation.
        result.success = not any(failure.blocking for failure in found)
        docs.keep(result, check.table, scope.day, scope.now)
        failed += found
        print(f"  {check.name}: {len(result.results) - len(found)} of {len(result.results)} expectations hold")
    docs.build()
    return failed


def _validated(batch: Batch, suite: ExpectationSuite, keys: Sequence[str]) -> ExpectationSuiteValidationResult:
    """Count first, then fetch samples of what failed: samples cost a Spark job or two for each expectation."""
    counted = batch.validate(suite, result_format={"result_format": "SUMMARY", "partial_unexpected_count": 0})
    sampled: dict[str, Any] = {"result_format": "SUMMARY", "partial_unexpected_count": SAMPLES}
    if keys:
        sampled["unexpected_index_column_names"] = list(keys)
    for place, each in enumerate(counted.results):
        if not each.success:
            counted.results[place] = batch.validate(each.expectation_config.to_domain_obj(), result_format=sampled)
    return counted
