"""The stream of what was shown: one entry a served slate, on the events instance."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from contract.errors import CorruptValue
from contract.keys import Keys
from contract.store.connection import unreachable_is_typed

BEGINNING = b"0-0"


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

    @property
    def name(self) -> str:
        """The stream's key, as people are told of it."""
        return self._keys.impressions.decode()

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

    def read(self, after: bytes = BEGINNING, count: int = 1000) -> Iterator[tuple[bytes, Impression | CorruptValue]]:
        """At most `count` (stream id, impression) pairs after a stream id, oldest first.

        An entry that does not decode comes as the error, unraised: those behind it can be read.
        """
        with unreachable_is_typed("reading impressions"):
            entries = self._client.xrange(self._keys.impressions, min=b"(" + after, count=count)
        for stream_id, fields in entries:
            yield stream_id, _decoded(fields)

    def has_lost(self, read_until: bytes) -> bool:
        """Whether the stream no longer has the entry that was read last: what came behind it may be gone unread."""
        if read_until == BEGINNING:
            return False
        with unreachable_is_typed("looking for the impression that was read last"):
            return not self._client.xrange(self._keys.impressions, min=read_until, max=read_until)


def _decoded(fields: Mapping[bytes, bytes]) -> Impression | CorruptValue:
    try:
        return _decoder.decode(fields[b"v"])
    except KeyError:
        return CorruptValue("an entry without field v")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return CorruptValue(f"no impression: {error}")
