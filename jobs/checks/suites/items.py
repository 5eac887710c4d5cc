"""Suite `items`: the catalogue as its latest versions say."""

from datetime import timedelta

import great_expectations.expectations as gxe
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from contract.schemas import ITEMS
from jobs.checks.check import Check, Scope
from jobs.checks.suites.bounds import NUMBER_MAX
from jobs.checks.suites.quarantine import quarantine_check

MEND = "Import a mended catalogue: a later version of an item replaces this one."


def latest_items(scope: Scope) -> DataFrame:
    """The rows that are their item's latest version; two of the same time are both there."""
    versions = Window.partitionBy("item_id")
    return (
        scope.rows("items", ITEMS)
        .select("item_id", "title", "price", "updated_at")
        .withColumn("latest", F.max("updated_at").over(versions))
        .where(F.col("updated_at").eqNullSafe(F.col("latest")))
        .drop("latest")
    )


def item_expectations(scope: Scope) -> list[gxe.Expectation]:
    return [
        gxe.ExpectTableRowCountToBeBetween(
            min_value=scope.settings.checks.items_min,
            notes="With no catalogue there is nothing to recommend. Import one. Bound: PACE_CHECKS__ITEMS_MIN.",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="item_id", notes=f"An item without an id can be neither listed nor shown. {MEND}"
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="item_id",
            notes=f"Two latest versions of one item: which one is served would be chance. {MEND}",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="title", notes=f"The title is what the model reads and what people see. {MEND}"
        ),
        gxe.ExpectColumnValuesToMatchRegex(
            column="title",
            regex=r"\S",
            notes=f"An empty title leaves the model nothing to read, and the page a blank. {MEND}",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="price",
            min_value=0,
            max_value=NUMBER_MAX,
            notes=f"A negative, infinite or NaN price poisons every mean it enters; null is fine. {MEND}",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="updated_at",
            max_value=scope.now + timedelta(days=1),
            notes="A version of the future hides every honest one until then. Remove its day from the lake's items, "
            "set the clock of the source right, and import again.",
        ),
    ]


CHECKS = (
    Check("items", "items", ("item_id",), latest_items, item_expectations),
    quarantine_check("items", latest_items),
)
