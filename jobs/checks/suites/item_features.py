"""Suite `item_features`: one row an item, with counts that fit each other."""

import great_expectations.expectations as gxe
from pyspark.sql import DataFrame

from contract.schemas import ITEM_FEATURES
from jobs.checks.check import Check, Scope
from jobs.checks.suites.bounds import COUNT_MAX, NUMBER_MAX

RERUN = "Run the features job again; if it stays, the job is wrong: do not publish."


def item_rows(scope: Scope) -> DataFrame:
    return scope.that_day("item_features", ITEM_FEATURES).drop("text", "categories")


def item_expectations(scope: Scope) -> list[gxe.Expectation]:
    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=scope.settings.checks.items_min,
            notes=f"With no item there is nothing to recommend. Bound: PACE_CHECKS__ITEMS_MIN. {RERUN}",
        ),
        gxe.ExpectColumnValuesToNotBeNull(column="item_id", notes=f"A row of no item cannot be published. {RERUN}"),
        gxe.ExpectColumnValuesToBeUnique(
            column="item_id", notes=f"Two rows of one item: which one is served would be chance. {RERUN}"
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="segment", notes=f"The segment names the popular list to fall back to; `all` where unknown. {RERUN}"
        ),
        *(
            expectation
            for column in ("popularity_7d", "popularity_30d", "buyers_30d")
            for expectation in (
                gxe.ExpectColumnValuesToNotBeNull(column=column, notes=f"A count of nothing is 0, not null. {RERUN}"),
                gxe.ExpectColumnValuesToBeBetween(
                    column=column, min_value=0, max_value=COUNT_MAX, notes=f"No count is negative. {RERUN}"
                ),
            )
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="popularity_30d",
            column_B="popularity_7d",
            or_equal=True,
            notes=f"The last 7 days lie within the last 30: more in them is a window computed wrongly. {RERUN}",
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="popularity_30d",
            column_B="buyers_30d",
            or_equal=True,
            notes=f"Each buyer has at least one event: more buyers than events is a join that multiplied. {RERUN}",
        ),
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=column,
                min_value=0,
                max_value=NUMBER_MAX,
                notes=f"Negative, infinite or NaN goes straight into the model's features; null is fine. {RERUN}",
            )
            for column in ("price", "age_days")
        ),
    ]


CHECKS = (Check("item_features", "item_features", ("item_id",), item_rows, item_expectations),)
