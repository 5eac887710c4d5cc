"""Item states of a large catalogue: batched torch inside Spark's partitions."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa

from contract.schemas import ITEM_STATES
from contract.settings import Settings
from jobs.lake import Lake
from jobs.serving.state_table import StateTable, as_rows
from reranker.item_coding import ItemCoder, Texts

# Loading a model takes a few seconds: a partition is worth many times that.
PARTITION_TEXTS = 20_000


def encode_on_spark(lake: Lake, day: str, directory: Path, texts: Texts, table: StateTable, settings: Settings) -> int:
    """Read `texts` by the model in `directory`, which every worker reaches by that path; returns how many."""
    from jobs.spark import spark_session

    spark = spark_session("encode_items")
    keys = pa.array(texts, pa.binary())
    ids = pa.array([list(one) for one in texts.values()], pa.list_(pa.int32()))
    frame = spark.createDataFrame(pa.table({"key": keys, "ids": ids}), "key BINARY, ids ARRAY<INT>")
    threads = settings.training.threads or 1  # Spark already has a task a core
    coded = frame.repartition(-(-len(texts) // PARTITION_TEXTS)).mapInArrow(
        partial(coded_rows, str(directory.resolve()), settings.training.device, threads), ITEM_STATES
    )
    lake.add_to_day(coded, table.table, day)
    return len(texts)


def coded_rows(
    directory: str, device: str, threads: int, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Rows of ITEM_STATES of rows of (key, ids); the model is loaded once a partition."""
    coder: ItemCoder | None = None
    for batch in batches:
        coder = coder or ItemCoder(Path(directory), device, threads)
        texts = {key: tuple(ids) for key, ids in zip(batch["key"].to_pylist(), batch["ids"].to_pylist(), strict=True)}
        for part in coder.coded(texts):
            yield as_rows(part)
