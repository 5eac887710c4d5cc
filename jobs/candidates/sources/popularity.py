"""What most people choose. Per segment, and under the key `all`: the list of last resort.

Items chosen within the window come first, by log(1 + n) over that of the list's first; then items chosen
before it, by their count, with scores below those of the window. So a list is full even after a quiet month.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.candidates.inputs import Inputs
from jobs.candidates.lists import best_lists
from jobs.features.days import newer_than

ALL = "all"


def lists(inputs: Inputs) -> DataFrame:
    catalogue = inputs.catalogue
    recent = newer_than(F.col("ts"), inputs.settings.candidates.window_days, inputs.as_of)
    counts = inputs.positives.groupBy("item").agg(
        F.count(F.when(recent, 1)).alias("recent"), F.count("*").alias("ever")
    )
    segments = inputs.positives.sparkSession.createDataFrame(
        [
            (number, sorted({segment, ALL}))
            for number, (segment, available) in enumerate(zip(catalogue.segments, catalogue.available, strict=True))
            if available
        ],
        "item INT, keys ARRAY<STRING>",
    )
    entries = counts.join(F.broadcast(segments), "item").withColumn("key", F.explode("keys"))
    within = Window.partitionBy("key")
    # An item of the window scores at least LEAST; one from before it, less.
    least = F.log1p(F.lit(1.0)) / F.log1p(F.greatest(F.max("recent").over(within), F.lit(1)))
    now = F.log1p("recent") / F.log1p(F.max("recent").over(within))
    before = 0.99 * least * F.log1p("ever") / F.log1p(F.max("ever").over(within))
    score = F.when(F.col("recent") > 0, now).otherwise(before)
    return best_lists("segment", entries.select("key", "item", score.alias("score")), inputs.length)
