"""How many of what came next the candidates hold: the bound on what any re-ranking of them can reach."""

from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

PLACES = 100


class Recall(NamedTuple):
    """Means over the queries of a split of the share of labels among the first PLACES candidates.

    `by_source`: the same for only those candidates that the source proposed.
    """

    split: str
    queries: int
    overall: float
    by_source: dict[str, float]

    def __str__(self) -> str:
        sources = ", ".join(f"{name} {share:.3f}" for name, share in self.by_source.items())
        return f"{self.split}: {self.queries} queries, recall@{PLACES} {self.overall:.3f} ({sources})"


def recall_table(pairs: DataFrame) -> list[Recall]:
    """One row a split of TRAINING_PAIRS rows; a query without candidates counts as 0."""
    hits = F.filter(
        F.slice("entries", 1, PLACES), lambda entry: F.array_contains(F.col("labels"), entry.getField("item_id"))
    )
    shares = pairs.select("split", "sources", hits.alias("hits"), F.size("labels").alias("wanted")).withColumn(
        "overall", F.size("hits") / F.col("wanted")
    )
    overall = shares.groupBy("split").agg(F.count("*").alias("queries"), F.avg("overall").alias("overall")).collect()
    found = F.filter("hits", lambda entry: F.get(entry.getField("scores"), F.col("place")) > 0)
    by_source = (
        shares.select("split", "hits", "wanted", F.posexplode("sources").alias("place", "source"))
        .groupBy("split", "place", "source")
        .agg(F.sum(F.size(found) / F.col("wanted")).alias("sum"))
        .orderBy("place")
        .collect()
    )
    counted = {row["split"]: row["queries"] for row in overall}
    return [
        Recall(
            row["split"],
            row["queries"],
            row["overall"],
            {one["source"]: one["sum"] / counted[row["split"]] for one in by_source if one["split"] == row["split"]},
        )
        for row in overall
    ]
