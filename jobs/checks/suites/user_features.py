"""Suite `user_features`: one row a user, in the bounds that serving relies on."""

import great_expectations.expectations as gxe
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contract.schemas import USER_FEATURES
from jobs.checks.check import Check, Scope
from jobs.checks.suites.bounds import COUNT_MAX, NUMBER_MAX

RERUN = "Run the features job again; if it stays, the job is wrong: do not publish."


def user_rows(scope: Scope) -> DataFrame:
    """The day's rows, with `history_length` and `repeats_in_history`, how many places name an item again."""
    items = F.coalesce("history", F.array().cast("array<string>"))
    return (
        scope.that_day("user_features", USER_FEATURES)
        .withColumn("history_length", F.size(items))
        .withColumn("repeats_in_history", F.size(items) - F.size(F.array_distinct(items)))
        .drop("history")
    )


def user_expectations(scope: Scope) -> list[gxe.Expectation]:
    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=1 if scope.scenario.users else 0,
            severity="warning",
            notes="No user is known: everybody gets the lists of items and segments. Where that is meant, say users: "
            "false in the scenario.",
        ),
        gxe.ExpectColumnValuesToNotBeNull(column="user_id", notes=f"A row of no user cannot be published. {RERUN}"),
        gxe.ExpectColumnValuesToBeUnique(
            column="user_id", notes=f"Two rows of one user: which one is served would be chance. {RERUN}"
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="segment", notes=f"The segment names the popular list to fall back to; `all` where unknown. {RERUN}"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="history_length",
            min_value=0,
            max_value=scope.settings.night.history_length,
            notes=f"Longer histories cost every request. Bound: PACE_NIGHT__HISTORY_LENGTH. {RERUN}",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="repeats_in_history",
            min_value=0,
            max_value=0,
            notes=f"A history names an item once, at its last time: recency is read from the place. {RERUN}",
        ),
        *(
            expectation
            for column in ("sessions", "positives")
            for expectation in (
                gxe.ExpectColumnValuesToNotBeNull(column=column, notes=f"A count of nothing is 0, not null. {RERUN}"),
                gxe.ExpectColumnValuesToBeBetween(
                    column=column, min_value=0, max_value=COUNT_MAX, notes=f"No count is negative. {RERUN}"
                ),
            )
        ),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=column,
                min_value=0,
                max_value=NUMBER_MAX,
                notes=f"Negative, infinite or NaN goes straight into the model's features; null is fine. {RERUN}",
            )
            for column in ("mean_price", "days_since_last")
        ),
    ]


CHECKS = (Check("user_features", "user_features", ("user_id",), user_rows, user_expectations),)
