"""Implicit matrix factorisation (Hu, Koren, Volinsky 2008) by Spark MLlib.

Per user: the items of the highest predicted preference, cut to 0..1, without those chosen before where the scenario
knows no repeats. Per item: the nearest item factors by
cosine. A row of the matrix is a user, or a session where the user is unknown; only users get lists.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.candidates.inputs import Inputs
from jobs.candidates.lists import LISTS, as_batch, best_places, ragged
from jobs.candidates.neighbours import item_neighbours, rows_to_score
from jobs.candidates.numbering import numbered

ALPHA = 10.0
REGULARISATION = 0.05

# MLlib exchanges factors between every two blocks: on few cores its default of 10 is mostly exchange.
MOST_BLOCKS = 50


def lists(inputs: Inputs) -> DataFrame:
    spark = inputs.positives.sparkSession
    row = F.coalesce(F.concat(F.lit("u"), "user_id"), F.concat(F.lit("s"), "session_id"))
    chosen = inputs.choices.withColumn("row", row)
    rows = numbered(chosen.select("row", "user_id").distinct(), "row")
    ratings = chosen.join(rows.select("row", "number"), "row").select(
        "number", "item", F.col("times").cast("float").alias("rating")
    )
    blocks = min(max(2, spark.sparkContext.defaultParallelism), MOST_BLOCKS)
    model = ALS(
        rank=inputs.settings.candidates.als_rank,
        maxIter=inputs.settings.candidates.als_iterations,
        implicitPrefs=True,
        alpha=ALPHA,
        regParam=REGULARISATION,
        seed=inputs.seed,
        userCol="number",
        itemCol="item",
        ratingCol="rating",
        numUserBlocks=blocks,
        numItemBlocks=blocks,
    ).fit(ratings)
    factors = _item_factors(inputs, model.itemFactors)
    users = model.userFactors.join(
        rows.where("user_id IS NOT NULL").select(F.col("number").alias("id"), "user_id"), "id"
    ).select("user_id", "features")
    if not inputs.repeats:
        chosen = inputs.choices.groupBy("user_id").agg(F.collect_list("item").alias("chosen"))
        users = users.join(chosen, "user_id")
    return _user_lists(inputs, users, factors).unionByName(
        item_neighbours(spark, inputs.catalogue.ids, factors, inputs.catalogue.available, inputs.length)
    )


def _item_factors(inputs: Inputs, factors: DataFrame) -> NDArray[np.float32]:
    """float32[items, rank]; zeros for an item that nobody chose."""
    table = factors.toArrow()
    found = np.asarray(table["features"].combine_chunks().flatten(), np.float32).reshape(len(table), -1)
    out = np.zeros((len(inputs.catalogue.ids), found.shape[1]), np.float32)
    out[np.asarray(table["id"])] = found
    return out


def _user_lists(inputs: Inputs, users: DataFrame, factors: NDArray[np.float32]) -> DataFrame:
    available, length = inputs.catalogue.available, inputs.length
    shared = users.sparkSession.sparkContext.broadcast(factors)
    step = rows_to_score(len(factors))

    def best(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        factors = shared.value
        for batch in batches:
            keys = batch["user_id"].to_pylist()
            chosen = list(ragged(batch["chosen"])) if "chosen" in batch.schema.names else []
            vectors = np.asarray(batch["features"].flatten(), np.float32).reshape(len(batch), -1)
            for start in range(0, len(keys), step):
                scores = np.clip(vectors[start : start + step] @ factors.T, 0.0, 1.0)
                scores[:, ~available] = 0.0
                for row, items in zip(scores, chosen[start : start + step], strict=False):
                    row[items] = 0.0
                places = [best_places(row, length) for row in scores]
                yield as_batch(
                    "user",
                    keys[start : start + step],
                    places,
                    [row[at] for row, at in zip(scores, places, strict=True)],
                )

    return users.mapInArrow(best, LISTS)
