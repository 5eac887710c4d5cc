"""The stream of what was shown: one entry a served slate, on the events instance."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from contract.keys import Keys
from contract.store.connection import unreachable_is_typed


class Impression(msgspec.Struct, frozen=True):
    """One slate as served: `item_ids` in order of position, from 0. `ts` in Unix seconds."""

    recommendation_id: str
    ts: float
    user_id: str | None
    session_id: str | None
    item_ids: tuple[str, ...]
    generation: int
    model_version: str
    level: str


_decoder = msgspec.msgpack.Decoder(Impression)


class ImpressionLog:
    """Appends and reads. Raises StoreUnreachable."""

    def __init__(self, client: Any, keys: Keys, max_length: int) -> None:
        self._client = client
        self._keys = keys
        self._max_length = max_length

    def append(self, impressions: Sequence[Impression]) -> None:
        with unreachable_is_typed("appending impressions"):
            pipeline = self._client.pipeline(transaction=False)
            for impression in impressions:
                pipeline.xadd(
                    self._keys.impressions,
                    {b"v": msgspec.msgpack.encode(impression)},
                    maxlen=self._max_length,
                    approximate=True,
                )
            pipeline.execute()

    def read(self, after: bytes = b"0-0", count: int = 1000) -> Iterator[tuple[bytes, Impression]]:
        """(stream id, impression) pairs after a stream id, oldest first."""
        with unreachable_is_typed("reading impressions"):
            entries = self._client.xrange(self._keys.impressions, min=b"(" + after, count=count)
        for stream_id, fields in entries:
            yield stream_id, _decoder.decode(fields[b"v"])
