"""The candidates of training queries: the lists that the gateway would read, merged as it merges them."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from contract.codec import CandidateList
from contract.merge import merge_query, never_proposed, popular_scores
from contract.records import UserRecord
from contract.schemas import TRAINING_PAIRS
from jobs.candidates.rows import as_entries, of_entries

EVERYONE = "all"
# A query brings up to ten context lists and some segments': about 200 kB, so 50 MB a batch.
QUERIES_PER_PARTITION = 250

_USER_FIELDS = [name for name in UserRecord.__struct_fields__ if name != "user_id"]


def needed_lists(asked: DataFrame, items: DataFrame) -> DataFrame:
    """(kind, key) of every list that `asked` (rows of jobs.model.queries with the features of their users) may need."""
    return roles(asked, items).select("kind", "key").distinct()


def with_candidates(asked: DataFrame, lists: DataFrame, items: DataFrame, limit: int, repeats: bool) -> DataFrame:
    """TRAINING_PAIRS rows: `asked` with at most `limit` candidates out of `lists` (CANDIDATES rows).

    `repeats`: as in contract.merge.never_proposed.
    """
    parts = (
        roles(asked, items)
        .join(lists, ["kind", "key"])
        .groupBy("query_id", "split", "task")
        .agg(
            F.first("sources").alias("sources"),
            F.first("weights").alias("weights"),
            F.collect_list(F.struct("kind", "place", "entries")).alias("parts"),
        )
    )
    user = F.when(F.col("segment").isNotNull(), F.struct("user_id", *_USER_FIELDS))
    questions = asked.select("query_id", "split", "task", "cut", "ts", "context", "labels", user.alias("user"))
    partitions = 1 + asked.count() // QUERIES_PER_PARTITION

    def merge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if len(batch):
                yield _merged(batch, limit, repeats)

    # A left join: a query for which nothing is known has no candidates, and counts so in the recall.
    joined = questions.join(parts, ["query_id", "split", "task"], "left").repartition(partitions, "query_id")
    return joined.mapInArrow(merge, TRAINING_PAIRS)


def roles(asked: DataFrame, items: DataFrame) -> DataFrame:
    """(query_id, split, task, kind, key, place): the lists a query reads; segments in order of their first place."""
    whose = ["query_id", "split", "task"]
    context = asked.select(*whose, F.posexplode("context").alias("place", "key")).withColumn("kind", F.lit("item"))
    users = asked.where("user_id IS NOT NULL").select(
        *whose, F.lit("user").alias("kind"), F.col("user_id").alias("key"), F.lit(0).alias("place")
    )
    segments = (
        context.join(items.select(F.col("item_id").alias("key"), "segment"), "key")
        .select(*whose, F.col("segment").alias("key"), "place")
        .unionByName(
            asked.where("segment IS NOT NULL").select(*whose, F.col("segment").alias("key"), F.lit(1000).alias("place"))
        )
        .unionByName(asked.select(*whose, F.lit(EVERYONE).alias("key"), F.lit(1001).alias("place")))
        .groupBy(*whose, "key")
        .agg(F.min("place").alias("place"))
        .withColumn("kind", F.lit("segment"))
    )
    return context.unionByName(users).unionByName(segments)


def _merged(batch: pa.RecordBatch, limit: int, repeats: bool) -> pa.RecordBatch:
    sources = next((row for row in batch["sources"].to_pylist() if row), [])
    parts = batch["parts"]
    kinds, places = parts.values.field("kind").to_pylist(), parts.values.field("place").to_pylist()
    weights = next((row for row in batch["weights"].to_pylist() if row), [])
    lists = of_entries(parts.values.field("entries"), sources) if sources else []
    lengths = parts.value_lengths().fill_null(0).to_numpy()
    starts = np.concatenate(([0], np.cumsum(lengths)))
    merged = []
    users = batch["user"].to_pylist()
    for row, context in enumerate(batch["context"].to_pylist()):
        own = range(starts[row], starts[row + 1])

        def of(kind: str, own: Sequence[int] = own) -> list[CandidateList]:
            return [lists[at] for at in sorted((at for at in own if kinds[at] == kind), key=lambda at: places[at])]

        user = next(iter(of("user")), None)
        history = (users[row] or {}).get("history") or ()
        out = never_proposed(context, history, repeats)
        popular = popular_scores(of("segment"), len(weights))
        merged.append(merge_query(user, of("item"), popular, weights, out, limit))
    return pa.RecordBatch.from_arrays(
        [
            batch["query_id"],
            batch["split"],
            batch["task"],
            batch["cut"],
            batch["ts"],
            pa.array([_record(user) for user in users], pa.string()),
            batch["context"],
            batch["labels"],
            pa.array([sources] * len(batch), pa.list_(pa.string())),
            as_entries(merged, sources),
        ],
        names=["query_id", "split", "task", "cut", "ts", "user", "context", "labels", "sources", "entries"],
    )


def _record(user: dict[str, object] | None) -> str | None:
    """JSON of contract.records.UserRecord."""
    if user is None:
        return None
    return msgspec.json.encode(UserRecord(**{**user, "history": tuple(user["history"] or ())})).decode()  # type: ignore[arg-type, misc]
