"""What a night reads of the lake's past: the sessions up to its day, and every version of every item."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from contract.errors import BadInput
from contract.scenario import Scenario
from contract.schemas import EVENTS, ITEMS
from jobs.features.days import end_of
from jobs.features.sessions import sessions
from jobs.lake import Lake


def sessions_until(spark: SparkSession, lake: Lake, day: str, scenario: Scenario) -> DataFrame:
    """SESSIONS rows up to the end of `day`."""
    events = lake.read_until(spark, "events", day, EVENTS).where(F.col("ts") < F.lit(end_of(day)))
    return sessions(events, scenario)


def item_versions(spark: SparkSession, lake: Lake) -> DataFrame:
    """ITEMS rows of every day. Raises BadInput where there is no catalogue."""
    days = lake.days("items")
    if not days:
        raise BadInput(f"{lake.path('items')} has no day yet: import a catalogue (`python -m jobs import_events`)")
    return lake.read_until(spark, "items", days[-1], ITEMS)
