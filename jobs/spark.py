"""One way to get a Spark session, under spark-submit and under `python -m jobs`."""

import os
import sys

from pyspark.sql import SparkSession


def spark_session(verb: str) -> SparkSession:
    """The session; master and memory come from spark-submit, else local[*] and 2 GB.

    Times are UTC everywhere. Partition overwrite is dynamic: a rerun replaces only its own day.
    """
    # Workers must be this interpreter, or they find another Python without our packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = (
        SparkSession.builder.appName(f"pacesetter {verb}")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.sources.partitionOverwriteMode", "dynamic")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.ui.enabled", "false")
    )
    if "SPARK_ENV_LOADED" not in os.environ:  # not under spark-submit
        builder = (
            builder.master(os.environ.get("SPARK_MASTER", "local[*]"))
            .config("spark.driver.memory", "2g")
            # 200 shuffle partitions cost more than the work on a laptop's data.
            .config("spark.sql.shuffle.partitions", "8")
        )
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    return session
