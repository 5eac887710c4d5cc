"""Verb `validate`: run the suites of some tables, write Data Docs, and fail if what depends on them must not run."""

import importlib
from argparse import ArgumentParser, Namespace
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from contract.errors import ValidationFailed
from contract.scenario import read_scenario
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.lake import Lake
from jobs.spark import spark_session

# A suite is a module with CHECKS. Named, not imported: Great Expectations takes seconds to import.
SUITES = {
    "events": ("jobs.checks.suites.events",),
    "items": ("jobs.checks.suites.items",),
    "user_features": ("jobs.checks.suites.user_features",),
    "item_features": ("jobs.checks.suites.item_features",),
    "features": ("jobs.checks.suites.user_features", "jobs.checks.suites.item_features"),
    "candidates": ("jobs.checks.suites.candidates",),
}


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("validate", "Run Great Expectations suites over a day and write Data Docs.", settings)
    parser.add_argument(
        "--suite", action="append", required=True, choices=list(SUITES), help="what to validate; may be repeated"
    )
    parser.add_argument("--docs", default=settings.night.data_docs, help="folder of the Data Docs site (%(default)s)")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises ValidationFailed that names every expectation that did not hold; BadInput where a table is missing."""
    lake, scenario = Lake(args.lake), read_scenario(settings.night.scenario)
    day = lake.resolve(args.date)
    with ThreadPoolExecutor(1) as starting:
        spark = starting.submit(spark_session, "validate")
        # Importing Great Expectations takes as long as the JVM takes to start: side by side they cost once.
        from jobs.checks.check import Scope
        from jobs.checks.docs import DataDocs
        from jobs.checks.run import run_checks

        suites = {module: importlib.import_module(module).CHECKS for modules in SUITES.values() for module in modules}
        scope = Scope(spark.result(), lake, day, settings, scenario, datetime.now(UTC))
    # By default Spark lists a year of days as one task a day: seconds, where the driver needs a moment.
    scope.spark.conf.set("spark.sql.sources.parallelPartitionDiscovery.parallelism", "8")
    docs = DataDocs(Path(args.docs), settings.checks.kept_runs)
    known = [check for checks in suites.values() for check in checks]
    modules = dict.fromkeys(module for suite in args.suite for module in SUITES[suite])
    wanted = [check for module in modules for check in suites[module]]
    print(f"validate {day}: {', '.join(args.suite)} of {lake.root}")
    failed = run_checks(scope, docs, wanted, known)
    for warning in (failure for failure in failed if not failure.blocking):
        print(f"warning: {warning}")
    blocking = [str(failure) for failure in failed if failure.blocking]
    if blocking:
        count = f"{len(blocking)} expectation{'s do' if len(blocking) > 1 else ' does'} not hold"
        raise ValidationFailed(
            f"{count} on {day}, lake {lake.root}; what was published before stays.\n\n"
            + "\n\n".join(blocking)
            + f"\n\nData Docs: {docs.index}"
        )
    print(f"Data Docs: {docs.index}")
