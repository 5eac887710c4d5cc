"""Suite `candidates`: each list by itself, the items that are proposed, and the partition as a whole."""

import great_expectations.expectations as gxe
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from contract.schemas import CANDIDATES, ITEM_FEATURES, USER_FEATURES
from jobs.checks.check import Check, Scope
from jobs.checks.suites.bounds import COUNT_MAX

RERUN = "Run the candidates job again; if it stays, the job or one of its sources is wrong: do not publish."


def lists(scope: Scope) -> DataFrame:
    """One short row a list: counts of what its entries are, without the entries."""
    ids = F.transform("entries", lambda entry: entry["item_id"])
    return scope.that_day("candidates", CANDIDATES).select(
        "kind",
        "key",
        F.size("entries").alias("entries"),
        (F.size("entries") - F.size(F.array_distinct(ids))).alias("repeated_items"),
        _count(lambda entry: entry["item_id"].isNull() | (entry["item_id"] == "")).alias("entries_without_item"),
        F.when((F.col("kind") == "item") & F.array_contains(ids, F.col("key")), F.col("key")).alias("proposes_itself"),
        _count(lambda entry: ~F.coalesce(F.array_contains("sources", entry["source"]), F.lit(False))).alias(
            "entries_of_unknown_source"
        ),
        _count(lambda entry: F.coalesce(F.size(entry["scores"]), F.lit(-1)) != F.size("sources")).alias(
            "entries_with_other_scores"
        ),
        _count(lambda entry: F.exists(entry["scores"], _broken)).alias("entries_of_broken_score"),
    )


def list_expectations(scope: Scope) -> list[gxe.Expectation]:
    return [
        gxe.ExpectColumnValuesToBeInSet(
            column="kind", value_set=["user", "item", "segment"], notes=f"Serving reads no other kind of list. {RERUN}"
        ),
        gxe.ExpectColumnValuesToNotBeNull(column="key", notes=f"A list of nobody cannot be published. {RERUN}"),
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["kind", "key"], notes=f"An id may be published once: the second list stops a publish. {RERUN}"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="entries",
            min_value=1,
            max_value=scope.settings.candidates.list_length,
            notes="An empty list hides the popular one behind it; a longer one costs every request. Bound: "
            f"PACE_CANDIDATES__LIST_LENGTH. {RERUN}",
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="proposes_itself", notes=f"An item beside itself wastes the best place of the slate. {RERUN}"
        ),
        *(
            gxe.ExpectColumnValuesToBeBetween(column=column, min_value=0, max_value=0, notes=f"{why} {RERUN}")
            for column, why in (
                ("repeated_items", "An item that is in a list twice would be shown twice."),
                ("entries_without_item", "An entry of no item cannot be shown."),
                ("entries_of_unknown_source", "`source` is written as its place in `sources`: it must be there."),
                ("entries_with_other_scores", "Each entry has one score a source, in the order of `sources`."),
                ("entries_of_broken_score", "Null, NaN and infinity go straight into the model's features."),
            )
        ),
    ]


def proposed_items(scope: Scope) -> DataFrame:
    """One row for each item in any list; `unknown_item_id` where item_features of the day lacks it."""
    proposed = (
        scope.that_day("candidates", CANDIDATES)
        .select(F.explode(F.transform("entries", lambda entry: entry["item_id"])).alias("item_id"))
        .where(F.col("item_id").isNotNull())
        .distinct()
    )
    known = scope.that_day("item_features", ITEM_FEATURES).select("item_id").distinct().withColumn("known", F.lit(True))
    return proposed.join(known, "item_id", "left").select(
        F.when(F.col("known").isNull(), F.col("item_id")).alias("unknown_item_id")
    )


def proposed_item_expectations(scope: Scope) -> list[gxe.Expectation]:
    return [
        gxe.ExpectColumnValuesToBeNull(
            column="unknown_item_id",
            notes="Serving has neither title nor features of an item that item_features lacks. Run features, then "
            "candidates, of the same day.",
        )
    ]


def partition(scope: Scope) -> DataFrame:
    """One row: `lists_for_all`, `orders_of_sources`, `sources`, and `coverage` (null where no user is known)."""
    rows = scope.that_day("candidates", CANDIDATES)
    whole = rows.agg(
        F.count(F.when((F.col("kind") == "segment") & (F.col("key") == "all"), 1)).alias("lists_for_all"),
        F.count_distinct("sources", "weights").alias("orders_of_sources"),
        F.coalesce(F.min(F.size("sources")), F.lit(0)).alias("sources"),
    )
    listed = rows.where("kind = 'user'").select(F.col("key").alias("user_id")).distinct().withColumn("listed", F.lit(1))
    users = scope.that_day("user_features", USER_FEATURES).select("user_id").distinct()
    coverage = users.join(listed, "user_id", "left").agg(
        F.try_divide(F.count("listed"), F.count("*")).alias("coverage")
    )
    return whole.crossJoin(coverage)


def partition_expectations(scope: Scope) -> list[gxe.Expectation]:
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="lists_for_all",
            min_value=1,
            max_value=1,
            notes=f"The popular list of `all` is the last resort of every request. {RERUN}",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="orders_of_sources",
            min_value=1,
            max_value=1,
            notes=f"A generation has one order of `sources`, one of `weights`: others would be misread. {RERUN}",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="sources",
            min_value=1,
            max_value=COUNT_MAX,
            notes=f"Lists that name no source have no scores for the model. {RERUN}",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="coverage",
            min_value=scope.settings.checks.coverage_min,
            max_value=1,
            notes="Users without a list of their own get what is popular. Fewer than usual is a source that failed "
            f"quietly. Bound: PACE_CHECKS__COVERAGE_MIN. {RERUN}",
        ),
    ]


def _count(condition: object) -> Column:
    return F.size(F.filter("entries", condition))


def _broken(score: Column) -> Column:
    return score.isNull() | F.isnan(score) | (F.abs(score) == F.lit(float("inf")))


CHECKS = (
    Check("candidates", "candidates", ("kind", "key"), lists, list_expectations),
    Check("candidates_items", "candidates", (), proposed_items, proposed_item_expectations),
    Check("candidates_partition", "candidates", (), partition, partition_expectations),
)
