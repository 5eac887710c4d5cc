"""What a user chose before, again. Per user: n / (1 + n), where n counts the choices, old ones less."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.candidates.inputs import Inputs
from jobs.candidates.lists import best_lists


def lists(inputs: Inputs) -> DataFrame:
    score = F.col("times") / (F.col("times") + 1)
    chosen = inputs.choices.where("user_id IS NOT NULL")
    return best_lists("user", chosen.select(F.col("user_id").alias("key"), "item", score.alias("score")), inputs.length)
