"""Writes generation N beside N-1, verifies it, then flips the pointer. `reader` is its other half.

    number = open()                  a fresh number; what a killed attempt left is set to expire
    write(number, kind, id, value)   values carry a TTL until the flip, so that an orphan goes by itself
    seal(number, ...)                flush, verify count, checksum and read-back, write meta, drop the TTLs
    flip(number)                     compare-and-set of the pointer; N-2 gets a TTL

Killed anywhere, the pointer still names N-1 and every value of N-1 is in place. Two may publish at once: neither sets
a TTL on a generation above the live one, which may be the other's, sealed and about to be flipped.
"""

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from contract.codec import Checksum, decode_candidates, decode_item, decode_user
from contract.errors import NoGeneration, PublishRefused
from contract.features import VERSION as FEATURE_VIEW
from contract.keys import Keys, Kind
from contract.records import GenerationMeta, Pointer
from contract.store.connection import unreachable_is_typed
from contract.store.pointer import Promotion, move_pointer, read_pointer

BATCH = 1000
FLIP_TRIES = 5
_DECODERS = {
    "user": decode_user,
    "item": decode_item,
    "candidates-user": decode_candidates,
    "candidates-item": decode_candidates,
    "candidates-segment": decode_candidates,
}


class Publisher:
    """One attempt to publish. Every method raises StoreUnreachable; nothing is live before `flip`."""

    def __init__(self, client: Any, keys: Keys, staging_ttl_seconds: int, retired_ttl_seconds: int) -> None:
        self._client = client
        self._keys = keys
        self._staging_ttl = staging_ttl_seconds
        self._retired_ttl = retired_ttl_seconds
        self._written: list[bytes] = []
        self._kinds: Counter[str] = Counter()
        self._checksum = Checksum()
        self._batch: list[tuple[bytes, bytes]] = []

    def pointer(self) -> Pointer:
        return read_pointer(self._client, self._keys)

    def open(self) -> int:
        """A generation number that nobody has used; orphans of killed attempts are set to expire."""
        seen = self.pointer()
        with unreachable_is_typed("taking a generation number"):
            number = int(self._client.incr(self._keys.counter))
        if number <= seen.generation:  # the counter was lost: never reuse a live number
            number = seen.generation + 1
            with unreachable_is_typed("repairing the generation counter"):
                self._client.set(self._keys.counter, number)
        self._retire(seen, self._staging_ttl)
        return number

    def write(self, generation: int, kind: Kind, id: str, value: bytes) -> None:
        """Stage one value; batches of BATCH go out together. An id may be written once."""
        key = self._keys.value(generation, kind, id)
        self._written.append(key)
        self._kinds[kind] += 1
        self._checksum.add(key, value)
        self._batch.append((key, value))
        if len(self._batch) >= BATCH:
            self._flush()

    def seal(
        self,
        generation: int,
        date: str,
        sources: Sequence[str],
        weights: Sequence[float],
        repeats: bool = True,
        vector_space: str = "",
        sample: int = 1000,
    ) -> GenerationMeta:
        """Verify what is in Redis against what was written, write `meta`, and drop the staging TTLs.

        Count and checksum are over every value; `sample` values are also decoded as a reader would.
        Raises PublishRefused, and then the generation must not be flipped.
        """
        if len(weights) != len(sources):
            raise PublishRefused(f"generation {generation}: {len(sources)} sources, {len(weights)} weights")
        self._flush()
        self._verify(generation, sample)
        meta = GenerationMeta(
            generation=generation,
            created_at=time.time(),
            date=date,
            sources=tuple(sources),
            weights=tuple(weights),
            counts=dict(self._kinds),
            checksum=self._checksum.hexdigest(),
            feature_view=FEATURE_VIEW,
            vector_space=vector_space,
            repeats=repeats,
        )
        with unreachable_is_typed(f"sealing generation {generation}"):
            self._client.set(self._keys.meta(generation), msgspec.json.encode(meta))
            kept = 0
            for names in _chunks(self._written, BATCH):
                pipeline = self._client.pipeline(transaction=False)
                for name in names:
                    pipeline.persist(name)
                kept += sum(pipeline.execute())
        if kept != len(self._written):
            raise PublishRefused(
                f"generation {generation}: {len(self._written) - kept} of {len(self._written)} values were gone at "
                "sealing (evicted? expired?): give Redis more memory, or raise PACE_REDIS__STAGING_TTL_SECONDS"
            )
        return meta

    def flip(self, generation: int, promotion: Promotion | None = None) -> Pointer:
        """Make a sealed generation live, and with it the model of `promotion`, in one move of the pointer.

        The generation before stays, the one before that gets a TTL. Without `promotion` a model promoted meanwhile
        is kept. Raises PublishRefused if a newer generation is live already, or not the model that is to be replaced.
        """
        for _ in range(FLIP_TRIES):
            seen = self.pointer()
            if seen.generation >= generation:
                raise PublishRefused(f"generation {seen.generation} went live while {generation} was written; it stays")
            wanted = promotion.applied(seen) if promotion else seen
            try:
                moved = move_pointer(
                    self._client,
                    self._keys,
                    seen,
                    msgspec.structs.replace(wanted, generation=generation, previous=seen.generation),
                )
            except PublishRefused:  # somebody moved it between the read and the set: look again
                continue
            self._retire(moved, self._retired_ttl)
            return moved
        raise PublishRefused(f"generation {generation}: the pointer moved {FLIP_TRIES} times in a row; publish again")

    def _flush(self) -> None:
        if not self._batch:
            return
        with unreachable_is_typed(f"writing {len(self._batch)} values"):
            pipeline = self._client.pipeline(transaction=False)
            for name, value in self._batch:
                pipeline.set(name, value, ex=self._staging_ttl)
            pipeline.execute()
        self._batch.clear()

    def _verify(self, generation: int, sample: int) -> None:
        read = Checksum()
        missing = 0
        checked = set(random.Random(generation).sample(range(len(self._written)), min(sample, len(self._written))))
        place = 0
        for names in _chunks(self._written, BATCH):
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
                    if place in checked:
                        _DECODERS[self._keys.parse(name).kind](value)
                place += 1
        if missing or read.hexdigest() != self._checksum.hexdigest():
            raise PublishRefused(
                f"generation {generation}: {missing} of {place} values missing, checksum {read.hexdigest()} "
                f"instead of {self._checksum.hexdigest()}: nothing was flipped; run publish again"
            )

    def _retire(self, pointer: Pointer, ttl_seconds: int) -> None:
        """Give every value of generations below the live one a TTL, unless it has one or is of the one before."""
        with unreachable_is_typed("retiring old generations"):
            for names in _chunks(self._client.scan_iter(match=self._keys.generation_pattern(), count=BATCH), BATCH):
                pipeline = self._client.pipeline(transaction=False)
                for name in names:
                    number = self._keys.parse(name).generation
                    if number < pointer.generation and number != pointer.previous:
                        pipeline.expire(name, ttl_seconds, nx=True)
                pipeline.execute()


def roll_back(client: Any, keys: Keys) -> Pointer:
    """Flip to the generation before; the one left becomes `previous`, so a second call flips forward again.

    Raises NoGeneration when there is none before, or when it has gone.
    """
    seen = read_pointer(client, keys)
    with unreachable_is_typed("looking for the generation before"):
        there = bool(seen.previous) and client.exists(keys.meta(seen.previous))
    if not there:
        raise NoGeneration(f"there is no generation before {seen.generation} to roll back to")
    return move_pointer(
        client,
        keys,
        seen,
        msgspec.structs.replace(seen, generation=seen.previous, previous=seen.generation),
    )


def set_model(client: Any, keys: Keys, version: str, replacing: str | None = None) -> Pointer:
    """Make `version` the live model ("" withdraws it: answers fall back to the precomputed order).

    Raises PublishRefused where `replacing` is given and another model than that is live.
    """
    seen = read_pointer(client, keys)
    return move_pointer(client, keys, seen, Promotion(version, replacing).applied(seen))


def _chunks(things: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    source = iter(things)
    while chunk := list(islice(source, size)):
        yield chunk
