"""Dense integer ids for rows that are too many to collect."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.spark import settled


def numbered(frame: DataFrame, column: str) -> DataFrame:
    """`frame` with `number` INT, 0 to n-1; settled. `column` is unique. Only partition sizes reach the driver.

    MLlib wants ids that fit an int: beyond 2**31 rows the cast fails.
    """
    # The low 33 bits count within a partition; the sort makes a job that is run again count the same way.
    placed = settled(
        frame.sortWithinPartitions(column)
        .withColumn("part", F.spark_partition_id())
        .withColumn("place", F.monotonically_increasing_id() % (1 << 33))
    )
    sizes = dict(sorted(placed.groupBy("part").count().collect()))
    offsets, total = [], 0
    for part, size in sizes.items():
        offsets += [F.lit(part), F.lit(total)]
        total += size
    if not sizes:
        return placed.withColumn("number", F.lit(None).cast("int")).drop("part", "place")
    number = F.create_map(*offsets)[F.col("part")] + F.col("place")
    return placed.withColumn("number", number.cast("int")).drop("part", "place")
