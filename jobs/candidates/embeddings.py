"""Text embeddings, each computed once: the lake's table `text_embeddings` remembers them by digest."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from contract.schemas import TEXT_EMBEDDINGS
from contract.settings import Training
from jobs.lake import Lake
from reranker.encoding import base_model_directory

TABLE = "text_embeddings"


class TextEmbeddings:
    """Embeds through the lake: a night pays only for texts that no night has seen.

    The driver holds the catalogue's embeddings: 1.5 kB an item, 300 MB for 200,000.
    """

    def __init__(self, spark: SparkSession, lake: Lake, day: str, training: Training) -> None:
        self._spark = spark
        self._lake = lake
        self._day = day
        self._model = training.base_model

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32[len(texts), d], in order; what was new is written to the day's part of the table.

        Raises BadInput where the base model is not to be had.
        """
        from reranker.embedding import embed_texts, embedding_version  # torch: seconds and 500 MB

        if not texts:
            return np.zeros((0, 0), np.float32)
        directory = base_model_directory(self._model)
        version = embedding_version(directory)
        digests = [_digest(text) for text in texts]
        known = self._known(version, digests)
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
        if new:
            vectors = embed_texts(directory, list(new.values()))
            known |= {digest: vector.tobytes() for digest, vector in zip(new, vectors, strict=True)}
            self._remember(version, {digest: known[digest] for digest in new})
        return np.frombuffer(b"".join(known[digest] for digest in digests), "<f4").reshape(len(texts), -1)

    def _known(self, version: str, digests: Sequence[str]) -> dict[str, bytes]:
        days = self._lake.days(TABLE)
        if not days:
            return {}
        wanted = self._spark.createDataFrame([(digest,) for digest in set(digests)], "digest STRING")
        table = (
            self._lake.read_until(self._spark, TABLE, days[-1], TEXT_EMBEDDINGS)
            .where(F.col("version") == version)
            .join(F.broadcast(wanted), "digest", "left_semi")
            .select("digest", "embedding")
            .toArrow()
        )
        return dict(zip(table["digest"].to_pylist(), table["embedding"].to_pylist(), strict=True))

    def _remember(self, version: str, fresh: dict[str, bytes]) -> None:
        # Appended, never replaced: two jobs may add at once, and the same text twice does no harm.
        rows = [(version, digest, vector) for digest, vector in fresh.items()]
        frame = self._spark.createDataFrame(rows, TEXT_EMBEDDINGS).coalesce(1)
        frame.write.mode("append").parquet(self._lake.path(TABLE, self._day))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
