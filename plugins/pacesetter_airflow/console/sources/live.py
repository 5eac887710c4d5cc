"""What Redis says is live."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from contract.errors import CorruptValue, NoGeneration
from contract.keys import Keys
from contract.records import GenerationMeta
from contract.settings import Redis
from contract.store.connection import connect
from contract.store.reader import Reader

# Longer than a request may wait: a page need not call a busy Redis away.
TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True)
class Generation:
    number: int
    created_at: datetime
    date: str
    users: int
    items: int

    @classmethod
    def of(cls, meta: GenerationMeta) -> Self:
        counts = meta.counts
        created = datetime.fromtimestamp(meta.created_at, UTC)
        return cls(meta.generation, created, meta.date, counts.get("user", 0), counts.get("item", 0))


@dataclass(frozen=True)
class Live:
    """The pointer: generation numbers are 0 and models "" for none. `published` are the live generation and the one
    before it, as far as they are there; `broken` says what is wrong with the live one, "" for nothing."""

    generation: int
    model: str
    previous_generation: int
    previous_model: str
    moved_at: datetime | None
    published: tuple[Generation, ...]
    broken: str

    @property
    def current(self) -> Generation | None:
        return next((one for one in self.published if one.number == self.generation), None)


def read_live(redis: Redis) -> Live:
    """Raises StoreUnreachable."""
    client = connect(redis.url, TIMEOUT_SECONDS, redis.cluster)
    try:
        reader = Reader(client, Keys(redis.prefix))
        pointer = reader.pointer()
        published, broken = [], ""
        for number in (pointer.generation, pointer.previous):
            try:
                published += [Generation.of(reader.meta(number))] if number else []
            except (NoGeneration, CorruptValue) as error:
                if number == pointer.generation:  # the one before goes by itself
                    broken = str(error)
    finally:
        client.close()
    return Live(
        generation=pointer.generation,
        model=pointer.model,
        previous_generation=pointer.previous,
        previous_model=pointer.previous_model,
        moved_at=datetime.fromtimestamp(pointer.moved_at, UTC) if pointer.moved_at else None,
        published=tuple(published),
        broken=broken,
    )
