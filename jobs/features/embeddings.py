"""Text embeddings, each computed once: the lake's table `text_embeddings` remembers them by digest."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from contract.scenario import Part
from contract.schemas import TEXT_EMBEDDINGS
from contract.settings import Training
from contract.vectors import pack_vectors
from jobs.item_rows import as_item
from jobs.lake import Lake
from reranker.embedding import embed_texts, embedding_version
from reranker.encoding import base_model_directory
from reranker.texts import item_text

TABLE = "text_embeddings"

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


def with_vectors(items: DataFrame, template: Sequence[Part], embed: Embed, space: str) -> DataFrame:
    """ITEM_FEATURES rows with the vector of each item's text under `template`, and the `space` that `embed` maps to.

    The driver holds the texts and their embeddings while it packs them: about 2 kB an item.
    """
    rows = items.select("item_id", "title", "text", "categories", "attributes").toArrow().to_pylist()
    packed = pack_vectors(embed([item_text(as_item(row), template) for row in rows])) if rows else []
    vectors = pa.table(
        {"item_id": pa.array([row["item_id"] for row in rows], pa.string()), "vector": pa.array(packed, pa.binary())}
    )
    known = items.sparkSession.createDataFrame(vectors, "item_id STRING, vector BINARY")
    return items.drop("vector").join(known, "item_id", "left").withColumn("vector_space", F.lit(space))


class TextEmbeddings:
    """Embeds through the lake: a night pays only for texts that no night has seen.

    The driver holds the catalogue's embeddings: 1.5 kB an item, 300 MB for 200,000.
    """

    def __init__(self, spark: SparkSession, lake: Lake, day: str, version: str, embed: Embed) -> None:
        self._spark = spark
        self._lake = lake
        self._day = day
        self.version = version
        self._embed = embed

    @staticmethod
    def of_base_model(spark: SparkSession, lake: Lake, day: str, training: Training) -> "TextEmbeddings":
        """By the base model of the settings. Raises BadInput where it is not to be had."""
        directory = base_model_directory(training.base_model)
        return TextEmbeddings(spark, lake, day, embedding_version(directory), partial(embed_texts, directory))

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32[len(texts), d], in order; what was new is written to the day's part of the table."""
        if not texts:
            return np.zeros((0, 0), np.float32)
        digests = [_digest(text) for text in texts]
        known = self._known(digests)
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
        if new:
            vectors = self._embed(list(new.values())).astype("<f4")
            fresh = {digest: vector.tobytes() for digest, vector in zip(new, vectors, strict=True)}
            self._remember(fresh)
            known |= fresh
        return np.frombuffer(b"".join(known[digest] for digest in digests), "<f4").reshape(len(texts), -1)

    def _known(self, digests: Sequence[str]) -> dict[str, bytes]:
        days = self._lake.days(TABLE)
        if not days:
            return {}
        wanted = self._spark.createDataFrame([(digest,) for digest in set(digests)], "digest STRING")
        table = (
            self._lake.read_until(self._spark, TABLE, days[-1], TEXT_EMBEDDINGS)
            .where(F.col("version") == self.version)
            .join(F.broadcast(wanted), "digest", "left_semi")
            .select("digest", "embedding")
            .toArrow()
        )
        return dict(zip(table["digest"].to_pylist(), table["embedding"].to_pylist(), strict=True))

    def _remember(self, fresh: dict[str, bytes]) -> None:
        # Added, never replaced: two jobs may do so at once, and the same text twice does no harm.
        rows = [(self.version, digest, vector) for digest, vector in fresh.items()]
        self._lake.add_to_day(self._spark.createDataFrame(rows, TEXT_EMBEDDINGS).coalesce(1), TABLE, self._day)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
