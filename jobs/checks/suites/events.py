"""Suite `events`: the rows of the last days, and how the day itself compares with those before."""

import great_expectations.expectations as gxe
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contract.schemas import EVENT_TYPES, EVENTS, ITEMS
from jobs.checks.check import Check, Scope, start_of
from jobs.checks.suites.quarantine import quarantine_check

DAYS_BEFORE = 28
MEND = "Import the events again from a mended source, or delete the day from the lake and import it anew."


def event_rows(scope: Scope) -> DataFrame:
    """Events of the window, with `unknown_item_id` and `rating` (a rating event's value)."""
    catalogue = scope.rows("items", ITEMS).select("item_id").distinct().withColumn("known", F.lit(True))
    unknown = F.col("known").isNull()
    return (
        scope.last_days("events", EVENTS, scope.settings.checks.window_days)
        .select("event_id", "ts", "type", "item_id", "value")
        .join(catalogue, "item_id", "left")
        .withColumn("unknown_item_id", F.when(unknown, F.col("item_id")))
        .withColumn("rating", F.when(F.col("type") == "rating", F.col("value")))
        .withColumn("unrated", F.when((F.col("type") == "rating") & F.col("value").isNull(), F.col("event_id")))
        .drop("known", "value")
    )


def event_row_expectations(scope: Scope) -> list[gxe.Expectation]:
    checks = scope.settings.checks
    return [
        gxe.ExpectColumnValuesToNotBeNull(
            column="event_id", notes=f"The id makes an import idempotent: without it a second one counts twice. {MEND}"
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="event_id", notes=f"An event that is there twice counts twice in every feature. {MEND}"
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="type", notes=f"An event of no type is used by no job: it would vanish without a word. {MEND}"
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="type",
            value_set=list(EVENT_TYPES),
            notes=f"An event of an unknown type is used by no job: map it to one of these at its source. {MEND}",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="item_id", notes=f"An event of no item teaches nothing, and breaks the grouping by item. {MEND}"
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="unknown_item_id",
            notes="Each event's item must be in `items`: what is not cannot be shown, and skews co-visits. "
            "Import the catalogue that has these items.",
        ),
        gxe.ExpectColumnValuesToNotBeNull(
            column="ts", notes=f"Without its time an event belongs to no session and no window. {MEND}"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="ts",
            min_value=start_of(checks.oldest_event.isoformat()),
            max_value=scope.end,
            strict_max=True,
            notes="An event past the end of the night's day leaks the future into training; one of an impossible age "
            f"is a unit error (seconds for milliseconds). Oldest day: PACE_CHECKS__OLDEST_EVENT. {MEND}",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="rating",
            min_value=checks.rating_min,
            max_value=checks.rating_max,
            notes="Ratings on another scale would be judged by the wrong threshold (rating_from in the scenario). Set "
            "PACE_CHECKS__RATING_MIN and _MAX to the scale in use.",
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="unrated", notes=f"A rating without its value counts as negative, whatever was meant. {MEND}"
        ),
    ]


def last_weeks(scope: Scope) -> DataFrame:
    return scope.last_days("events", EVENTS, DAYS_BEFORE + 1)


def event_day(scope: Scope) -> DataFrame:
    """One row: `events` of the day, `share_of_median` of the days before, `anonymous_share`.

    Of what people did: impressions follow the traffic of the gateway, and many of them have no user.
    """
    days = (
        last_weeks(scope)
        .where(F.col("type") != "impression")
        .groupBy("day")
        .agg(F.count("*").alias("events"), F.count(F.when(F.col("user_id").isNull(), 1)).alias("anonymous"))
    )
    today = F.col("day") == scope.day
    return days.agg(
        F.coalesce(F.sum(F.when(today, F.col("events"))), F.lit(0)).alias("events"),
        F.sum(F.when(today, F.col("anonymous") / F.col("events"))).alias("anonymous_share"),
        F.percentile_approx(F.when(~today, F.col("events")), 0.5).alias("median_before"),
    ).withColumn("share_of_median", F.try_divide("events", "median_before"))


def event_day_expectations(scope: Scope) -> list[gxe.Expectation]:
    checks = scope.settings.checks
    anonymous = gxe.ExpectColumnValuesToBeBetween(
        column="anonymous_share",
        max_value=checks.anonymous_share_max,
        notes="User features and user lists come from events with a user: a day without them is a lost join at the "
        "source. Bound: PACE_CHECKS__ANONYMOUS_SHARE_MAX; where no event has a user, say users: false in the scenario.",
    )
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="events",
            min_value=checks.day_events_min,
            notes="An empty day means that the import did not run, or found nothing: lists would grow stale unseen. "
            "Import the day, or run the night for a day that has events. Bound: PACE_CHECKS__DAY_EVENTS_MIN.",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="share_of_median",
            min_value=checks.day_events_share_min,
            notes="A day far below the median day of the four weeks before is a broken feed, or a day that is not "
            "over: run the night for the day before. Bound: PACE_CHECKS__DAY_EVENTS_SHARE_MIN.",
        ),
        *([anonymous] if scope.scenario.users else []),
    ]


CHECKS = (
    Check("events", "events", ("event_id",), event_rows, event_row_expectations),
    Check("events_day", "events", (), event_day, event_day_expectations),
    quarantine_check("events", last_weeks),
)
