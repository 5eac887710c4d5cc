"""What a job may rely on in its session."""

from pyspark.sql import SparkSession

from jobs.spark import spark_session


def test_a_job_takes_the_session_that_is_running(spark: SparkSession) -> None:
    assert spark_session("features") is spark


def test_a_local_session_is_utc_small_and_closed_to_the_network(spark: SparkSession) -> None:
    conf = spark.sparkContext.getConf()
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert conf.get("spark.sql.shuffle.partitions") == "8"
    assert conf.get("spark.driver.bindAddress") == "127.0.0.1"
    assert spark.range(10).repartition(2).count() == 10
