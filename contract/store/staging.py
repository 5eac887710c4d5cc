"""The values of a generation on their way in: written in batches with a TTL, then read back and compared."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

from contract.allocation import keep_freed_memory
from contract.codec import Checksum, decode_candidates, decode_item, decode_user
from contract.errors import PublishRefused
from contract.keys import Keys, Kind
from contract.states import decode_block
from contract.store.connection import unreachable_is_typed

BATCH = 1000
# A block of states may hold some MB: a batch is of so many bytes at most, and of one value at least.
BATCH_BYTES = 8 << 20
_DECODERS: Mapping[str, Callable[[bytes], object]] = {
    "user": decode_user,
    "item": decode_item,
    "candidates-user": decode_candidates,
    "candidates-item": decode_candidates,
    "candidates-segment": decode_candidates,
    "states": decode_block,
}


class Staging:
    """What one attempt to publish has written so far. Every method raises StoreUnreachable.

    `kinds` counts its values; `checksum` is over every (key, value).
    """

    def __init__(self, client: Any, keys: Keys, ttl_seconds: int) -> None:
        self._client, self._keys, self._ttl = client, keys, ttl_seconds
        self._written: list[tuple[bytes, int]] = []
        self.kinds: Counter[str] = Counter()
        self._sum = Checksum()
        self._batch: list[tuple[bytes, bytes]] = []
        self._batch_bytes = 0
        keep_freed_memory()
        # One batch is on its way while the next one is made: neither waits for the other's half.
        self._sender = ThreadPoolExecutor(1, "staging")
        self._sent: Future[None] | None = None

    @property
    def checksum(self) -> str:
        return self._sum.hexdigest()

    def write(self, generation: int, kind: Kind, id: str, value: bytes) -> None:
        """Stage one value; batches go out together. An id may be written once."""
        key = self._keys.value(generation, kind, id)
        self._written.append((key, len(value)))
        self.kinds[kind] += 1
        self._sum.add(key, value)
        self._batch.append((key, value))
        self._batch_bytes += len(value)
        if len(self._batch) >= BATCH or self._batch_bytes >= BATCH_BYTES:
            self._send()

    def flush(self) -> None:
        """Wait until all that was written is there."""
        self._send()
        self._arrived()

    def _send(self) -> None:
        """Hand over what waits, once the batch before has arrived."""
        self._arrived()
        if self._batch:
            self._sent = self._sender.submit(self._set, self._batch)
        self._batch, self._batch_bytes = [], 0

    def _arrived(self) -> None:
        sent, self._sent = self._sent, None
        if sent:
            sent.result()

    def _set(self, batch: Sequence[tuple[bytes, bytes]]) -> None:
        with unreachable_is_typed(f"writing {len(batch)} values"):
            pipeline = self._client.pipeline(transaction=False)
            for name, value in batch:
                pipeline.set(name, value, ex=self._ttl)
            pipeline.execute()

    def verify(self, generation: int, sample: int) -> None:
        """Read every value back; decode `sample` of them, and every block of states, as a reader would.

        Raises PublishRefused where a value is missing or another, CorruptValue where one does not decode.
        """
        read = Checksum()
        missing = place = 0
        checked = set(random.Random(generation).sample(range(len(self._written)), min(sample, len(self._written))))
        for names in _batches(self._written):
            with unreachable_is_typed(f"verifying generation {generation}"):
                pipeline = self._client.pipeline(transaction=False)
                for name in names:
                    pipeline.get(name)
                values = pipeline.execute()
            for name, value in zip(names, values, strict=True):
                if value is None:
                    missing += 1
                else:
                    read.add(name, value)
                    kind = self._keys.parse(name).kind
                    if place in checked or kind == "states":
                        _DECODERS[kind](value)
                place += 1
        if missing or read.hexdigest() != self.checksum:
            raise PublishRefused(
                f"generation {generation}: {missing} of {place} values missing, checksum {read.hexdigest()} "
                f"instead of {self.checksum}: nothing was flipped; run publish again"
            )

    def keep(self, generation: int) -> None:
        """Drop the TTL of every value. Raises PublishRefused where one is gone."""
        kept = 0
        with unreachable_is_typed(f"sealing generation {generation}"):
            for names in chunks((name for name, _ in self._written), BATCH):
                pipeline = self._client.pipeline(transaction=False)
                for name in names:
                    pipeline.persist(name)
                kept += sum(pipeline.execute())
        if kept != len(self._written):
            raise PublishRefused(
                f"generation {generation}: {len(self._written) - kept} of {len(self._written)} values were gone at "
                "sealing (evicted? expired?): give Redis more memory, or raise PACE_REDIS__STAGING_TTL_SECONDS"
            )


def chunks(things: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    source = iter(things)
    while chunk := list(islice(source, size)):
        yield chunk


def _batches(written: Iterable[tuple[bytes, int]]) -> Iterator[list[bytes]]:
    """Names whose values are read together."""
    names: list[bytes] = []
    total = 0
    for name, size in written:
        if names and (len(names) >= BATCH or total + size > BATCH_BYTES):
            yield names
            names, total = [], 0
        names.append(name)
        total += size
    if names:
        yield names
