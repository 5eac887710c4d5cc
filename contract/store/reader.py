"""What serving reads of a generation, beside `publisher`, which wrote it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from contract.codec import CandidateList, decode_candidates, decode_item, decode_user
from contract.errors import CorruptValue, NoGeneration
from contract.keys import Keys, Kind
from contract.records import GenerationMeta, ItemRecord, Pointer, UserRecord
from contract.states import StateBlock, decode_block, state_block_id
from contract.store.connection import unreachable_is_typed
from contract.store.pointer import FIELDS, pointer_of, read_pointer
from contract.store.round_trip import round_trip


class QueryData(NamedTuple):
    """What a generation knows of one query; None and absence mean that it does not know it."""

    user: UserRecord | None
    user_candidates: CandidateList | None
    item_candidates: dict[str, CandidateList]
    segment_candidates: dict[str, CandidateList]


class Reader:
    """Reads generations. Every method raises StoreUnreachable, or CorruptValue for what does not decode."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._on_cluster = hasattr(client, "mget_nonatomic")
        self._seen = Pointer()

    def pointer(self) -> Pointer:
        return read_pointer(self._client, self._keys)

    def meta(self, generation: int) -> GenerationMeta:
        """Raises NoGeneration."""
        with unreachable_is_typed(f"reading generation {generation}"):
            raw = self._client.get(self._keys.meta(generation))
        if raw is None:
            raise NoGeneration(
                f"generation {generation} is not in Redis: run candidates_daily or `python -m jobs publish`"
            )
        try:
            return msgspec.json.decode(raw, type=GenerationMeta)
        except msgspec.DecodeError as error:
            raise CorruptValue(f"meta of generation {generation}: {error}; publish again") from error

    def query(
        self, generation: int, user_id: str | None, item_ids: Sequence[str], segments: Sequence[str] = ()
    ) -> QueryData:
        """Everything about a query in one round trip."""
        wanted = _query_values(user_id, item_ids, segments)
        return _query_data(self._values(generation, wanted), user_id, item_ids, segments)

    def live_query(self, user_id: str | None, item_ids: Sequence[str]) -> tuple[Pointer, QueryData]:
        """The pointer, and `query` of the generation that it names."""
        wanted = _query_values(user_id, item_ids, ())
        pointer, values = self._live(lambda pointer: self._names(pointer.generation, wanted))
        return pointer, _query_data(values, user_id, item_ids, ())

    def live_answer(self, material_of: Callable[[Pointer], bytes]) -> tuple[Pointer, bytes | None]:
        """The pointer, and the answer that is cached for what `material_of` says of it (see AnswerCache)."""
        pointer, values = self._live(lambda pointer: [self._keys.answer(material_of(pointer))])
        return pointer, values[0]

    def _live(self, names_of: Callable[[Pointer], list[bytes]]) -> tuple[Pointer, list[bytes | None]]:
        """The pointer, and the values under the names that follow from it.

        One round trip where the pointer is what it was when last read here, two where it has moved, and on a cluster,
        where pointer and values lie on different nodes.
        """
        if self._on_cluster:
            pointer = self.pointer()
            return pointer, self._values_of(names_of(pointer))
        seen = self._seen
        names = names_of(seen)
        if not names:
            return self.pointer(), []
        with unreachable_is_typed(f"reading the pointer and {len(names)} values"):
            fields, values = round_trip(self._client, ("HMGET", self._keys.pointer, *FIELDS), ("MGET", *names))
        self._seen = pointer = pointer_of(fields)
        return pointer, values if pointer == seen else self._values_of(names_of(pointer))

    def items(self, generation: int, item_ids: Sequence[str]) -> dict[str, ItemRecord]:
        """The records of those items that the generation knows, in one round trip."""
        values = self._values(generation, [("item", item_id) for item_id in item_ids])
        return {id: decode_item(raw) for id, raw in zip(item_ids, values, strict=True) if raw is not None}

    def states(self, meta: GenerationMeta) -> Iterator[StateBlock]:
        """The blocks of item states that a generation carries, in order, one a round trip.

        Raises NoGeneration where one is gone, CorruptValue where one does not decode or they are not what `meta` says.
        """
        texts = tokens = 0
        for number in range(meta.states_blocks):
            block = self._states_block(meta, number)
            texts, tokens = texts + len(block.keys), tokens + block.tokens
            yield block
        if (texts, tokens) != (meta.states_texts, meta.states_tokens):
            raise CorruptValue(
                f"generation {meta.generation}: item states of {texts} texts and {tokens} tokens, not of "
                f"{meta.states_texts} and {meta.states_tokens}; publish again"
            )

    def _states_block(self, meta: GenerationMeta, number: int) -> StateBlock:
        where = f"generation {meta.generation}: block {number} of {meta.states_blocks} of its item states"
        name = self._keys.value(meta.generation, "states", state_block_id(number))
        with unreachable_is_typed(f"reading item states of generation {meta.generation}"):
            raw = self._client.get(name)
        if raw is None:
            raise NoGeneration(f"{where} is gone: publish again")
        try:
            block = decode_block(raw)
        except CorruptValue as error:
            raise CorruptValue(f"{where}: {error}") from error
        if block.model != meta.states_model:
            raise CorruptValue(
                f"{where} has item states of model {block.model}, not of {meta.states_model}; publish again"
            )
        return block

    def _values(self, generation: int, wanted: Sequence[tuple[Kind, str]]) -> list[bytes | None]:
        return self._values_of(self._names(generation, wanted))

    def _names(self, generation: int, wanted: Sequence[tuple[Kind, str]]) -> list[bytes]:
        return [self._keys.value(generation, kind, id) for kind, id in wanted]

    def _values_of(self, names: list[bytes]) -> list[bytes | None]:
        if not names:
            return []
        with unreachable_is_typed(f"reading {len(names)} values, the first {names[0]!r}"):
            if self._on_cluster:  # the keys lie in many slots
                return list(self._client.mget_nonatomic(names))
            return list(self._client.mget(names))


def _query_values(user_id: str | None, item_ids: Sequence[str], segments: Sequence[str]) -> list[tuple[Kind, str]]:
    """What is read of a generation for a query."""
    wanted: list[tuple[Kind, str]] = []
    if user_id is not None:
        wanted += [("user", user_id), ("candidates-user", user_id)]
    wanted += [("candidates-item", item_id) for item_id in item_ids]
    wanted += [("candidates-segment", segment) for segment in segments]
    return wanted


def _query_data(
    values: Sequence[bytes | None], user_id: str | None, item_ids: Sequence[str], segments: Sequence[str]
) -> QueryData:
    """From the values of `_query_values`, in its order."""
    left = iter(values)
    user = next(left) if user_id is not None else None
    lists = [decode_candidates(raw) if raw is not None else None for raw in left]
    of_user, of_others = (lists[0], lists[1:]) if user_id is not None else (None, lists)
    named = list(zip((*item_ids, *segments), of_others, strict=True))
    return QueryData(
        decode_user(user) if user is not None else None,
        of_user,
        {id: found for id, found in named[: len(item_ids)] if found is not None},
        {id: found for id, found in named[len(item_ids) :] if found is not None},
    )
