"""How many of what came next the candidates hold: the bound on what any re-ranking of them can reach."""

from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

PLACES = 100
SPLITS = ("train", "validation", "test")


class Recall(NamedTuple):
    """Means over the queries of a split and task of the share of labels among the first PLACES candidates.

    `by_source`: the same for only those candidates that the source proposed.
    """

    split: str
    task: str
    queries: int
    overall: float
    by_source: dict[str, float]

    def told(self, longest: int) -> str:
        """A line for people; `longest`: how many candidates a list may have."""
        sources = ", ".join(f"{name} {share:.3f}" for name, share in self.by_source.items())
        places = min(PLACES, longest)
        return f"{self.split} {self.task}: {self.queries} queries, recall@{places} {self.overall:.3f} ({sources})"


def recall_table(pairs: DataFrame) -> list[Recall]:
    """One row a split and task of TRAINING_PAIRS rows; a query without candidates counts as 0."""
    hits = F.filter(
        F.slice("entries", 1, PLACES), lambda entry: F.array_contains(F.col("labels"), entry.getField("item_id"))
    )
    shares = pairs.select("split", "task", "sources", hits.alias("hits"), F.size("labels").alias("wanted")).withColumn(
        "overall", F.size("hits") / F.col("wanted")
    )
    overall = (
        shares.groupBy("split", "task").agg(F.count("*").alias("queries"), F.avg("overall").alias("overall")).collect()
    )
    found = F.filter("hits", lambda entry: F.get(entry.getField("scores"), F.col("place")) > 0)
    by_source = (
        shares.select("split", "task", "hits", "wanted", F.posexplode("sources").alias("place", "source"))
        .groupBy("split", "task", "place", "source")
        .agg(F.sum(F.size(found) / F.col("wanted")).alias("sum"))
        .orderBy("place")
        .collect()
    )
    return [
        Recall(
            row["split"],
            row["task"],
            row["queries"],
            row["overall"],
            {
                one["source"]: one["sum"] / row["queries"]
                for one in by_source
                if (one["split"], one["task"]) == (row["split"], row["task"])
            },
        )
        for row in sorted(overall, key=lambda row: (SPLITS.index(row["split"]), row["task"]))
    ]
