"""What an import set aside, judged with the suite of the table that it was meant for."""

from collections.abc import Callable
from datetime import timedelta

import great_expectations.expectations as gxe
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contract.schemas import QUARANTINE
from jobs.checks.check import Check, Scope


def quarantine_check(table: str, kept: Callable[[Scope], DataFrame]) -> Check:
    """The check of `table`'s quarantine: counted in every report, a failure only past a share of the rows `kept`."""

    def frame(scope: Scope) -> DataFrame:
        """One row: `set_aside` in the last day, and its `share` of these rows and those kept together."""
        # By the clock, not by the night's day: a row is set aside on the day it is imported.
        since = scope.now - timedelta(days=1)
        recent = (F.col("day") >= since.date().isoformat()) & (F.col("quarantined_at") >= F.lit(since))
        aside = (
            scope.rows("quarantine", QUARANTINE)
            .where(recent & (F.col("table_name") == table))
            .agg(F.count("*").alias("set_aside"), F.max_by("reason", "quarantined_at").alias("last_reason"))
        )
        share = F.try_divide(F.col("set_aside"), F.col("set_aside") + F.col("kept"))
        return aside.crossJoin(kept(scope).agg(F.count("*").alias("kept"))).withColumn("share", share)

    def expectations(scope: Scope) -> list[gxe.Expectation]:
        return [
            gxe.ExpectColumnValuesToBeBetween(
                column="set_aside",
                max_value=0,
                severity="warning",
                notes=f"Rows of {table} that the imports of the last 24 hours set aside; `quarantine` in the lake has "
                "each with file, row and reason. The night goes on without them.",
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="share",
                max_value=scope.settings.checks.quarantine_share_max,
                notes="So many bad rows are a changed export, not a few slips: what is left is no fair sample. Read "
                "the reasons in `quarantine`, mend the source, import again. Bound: PACE_CHECKS__QUARANTINE_SHARE_MAX.",
            ),
        ]

    return Check(f"{table}_quarantine", "quarantine", ("last_reason",), frame, expectations)
