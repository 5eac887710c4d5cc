"""Writes generation N beside N-1, verifies it, then flips the pointer. `reader` is its other half.

    number = open()                  a fresh number; what a killed attempt left is set to expire
    write(number, kind, id, value)   values carry a TTL until the flip, so that an orphan goes by itself (staging)
    write_states(number, blocks)     the item states of the model that is to be live with it, if there is one
    seal(number, ...)                flush, verify count, checksum and read-back, write meta, drop the TTLs
    flip(number)                     compare-and-set of the pointer; N-2 gets a TTL

Killed anywhere, the pointer still names N-1 and every value of N-1 is in place. Two may publish at once: neither sets
a TTL on a generation above the live one, which may be the other's, sealed and about to be flipped.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from contract.errors import NoGeneration, PublishRefused
from contract.features import VERSION as FEATURE_VIEW
from contract.keys import Keys, Kind
from contract.records import GenerationMeta, Pointer, Through
from contract.states import StateBlock, encode_block, state_block_id
from contract.store.connection import unreachable_is_typed
from contract.store.numbers import number_by_clock, take_number
from contract.store.pointer import Promotion, move_pointer, read_pointer
from contract.store.staging import BATCH, Staging, chunks

FLIP_TRIES = 5


class Publisher:
    """One attempt to publish. Every method raises StoreUnreachable; nothing is live before `flip`."""

    def __init__(
        self,
        client: Any,
        keys: Keys,
        staging_ttl_seconds: int,
        retired_ttl_seconds: int,
        number_now: Callable[[], int] = number_by_clock,
    ) -> None:
        self._client = client
        self._keys = keys
        self._staging_ttl = staging_ttl_seconds
        self._retired_ttl = retired_ttl_seconds
        self._number_now = number_now
        self._staging = Staging(client, keys, staging_ttl_seconds)
        self._states = _StatesSum()

    def pointer(self) -> Pointer:
        return read_pointer(self._client, self._keys)

    def open(self) -> int:
        """A generation number that nobody has used (see numbers); orphans of killed attempts are set to expire."""
        seen = self.pointer()
        # Above the live one also where the counter alone was lost, and the clock was set back.
        number = take_number(self._client, self._keys, max(self._number_now(), seen.generation + 1))
        self._retire(seen, self._staging_ttl)
        return number

    def write(self, generation: int, kind: Kind, id: str, value: bytes) -> None:
        """Stage one value; batches go out together. An id may be written once."""
        self._staging.write(generation, kind, id, value)

    def write_states(self, generation: int, blocks: Iterable[StateBlock]) -> None:
        """Stage the item states of one model; once a generation.

        Raises PublishRefused for blocks of several models, or of several forms, and for a second call.
        """
        self._states.begin(generation)
        for block in blocks:
            self._states.add(generation, block)
            self.write(generation, "states", state_block_id(self._states.blocks - 1), encode_block(block))

    def seal(
        self,
        generation: int,
        date: str,
        sources: Sequence[str],
        weights: Sequence[float],
        repeats: bool = True,
        vector_space: str = "",
        sample: int = 1000,
        through: Through | None = None,
    ) -> GenerationMeta:
        """Verify what is in Redis against what was written, write `meta`, and drop the staging TTLs.

        Count and checksum are over every value; `sample` values are also decoded as a reader would.
        Raises PublishRefused, and then the generation must not be flipped.
        """
        if len(weights) != len(sources):
            raise PublishRefused(f"generation {generation}: {len(sources)} sources, {len(weights)} weights")
        self._staging.flush()
        self._staging.verify(generation, sample)
        meta = GenerationMeta(
            generation=generation,
            created_at=time.time(),
            date=date,
            sources=tuple(sources),
            weights=tuple(weights),
            counts=dict(self._staging.kinds),
            checksum=self._staging.checksum,
            feature_view=FEATURE_VIEW,
            vector_space=vector_space,
            repeats=repeats,
            states_model=self._states.model,
            states_texts=self._states.texts,
            states_tokens=self._states.tokens,
            states_blocks=self._states.blocks,
            through=through or Through(),
        )
        with unreachable_is_typed(f"sealing generation {generation}"):
            self._client.set(self._keys.meta(generation), msgspec.json.encode(meta))
        self._staging.keep(generation)
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

    def _retire(self, pointer: Pointer, ttl_seconds: int) -> None:
        """Give every value of generations below the live one a TTL, unless it has one or is of the one before."""
        with unreachable_is_typed("retiring old generations"):
            for names in chunks(self._client.scan_iter(match=self._keys.generation_pattern(), count=BATCH), BATCH):
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


class _StatesSum:
    """What the blocks of states written so far amount to."""

    def __init__(self) -> None:
        self.model = ""
        self.texts = self.tokens = self.blocks = 0
        self._form: tuple[str, int] = ("", 0)
        self._begun = False

    def begin(self, generation: int) -> None:
        if self._begun:
            raise PublishRefused(
                f"generation {generation}: item states were written before: hand all blocks over in one call"
            )
        self._begun = True

    def add(self, generation: int, block: StateBlock) -> None:
        form = block.kind, block.width
        if self.blocks and (block.model, form) != (self.model, self._form):
            raise PublishRefused(
                f"generation {generation}: item states of model {block.model} ({form[0]} x {form[1]}) beside those of "
                f"{self.model} ({self._form[0]} x {self._form[1]}): run `python -m jobs encode_items` again"
            )
        self.model, self._form = block.model, form
        self.texts += len(block.keys)
        self.tokens += block.tokens
        self.blocks += 1
