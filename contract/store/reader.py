"""What serving reads of a generation, beside `publisher`, which wrote it."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from contract.codec import CandidateList, decode_candidates, decode_item, decode_user
from contract.errors import CorruptValue, NoGeneration
from contract.keys import Keys, Kind
from contract.records import GenerationMeta, ItemRecord, Pointer, UserRecord
from contract.states import StateBlock, decode_block, state_block_id
from contract.store.connection import unreachable_is_typed
from contract.store.pointer import read_pointer


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
        wanted: list[tuple[Kind, str]] = []
        if user_id is not None:
            wanted += [("user", user_id), ("candidates-user", user_id)]
        wanted += [("candidates-item", item_id) for item_id in item_ids]
        wanted += [("candidates-segment", segment) for segment in segments]
        found = dict(zip(wanted, self._values(generation, wanted), strict=True))

        def listed(kind: Kind, ids: Sequence[str]) -> dict[str, CandidateList]:
            return {id: decode_candidates(raw) for id in ids if (raw := found[kind, id]) is not None}

        user = found.get(("user", user_id)) if user_id is not None else None
        lists = listed("candidates-user", [user_id]) if user_id is not None else {}
        return QueryData(
            decode_user(user) if user is not None else None,
            lists.get(user_id) if user_id is not None else None,
            listed("candidates-item", item_ids),
            listed("candidates-segment", segments),
        )

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
        if not wanted:
            return []
        names = [self._keys.value(generation, kind, id) for kind, id in wanted]
        with unreachable_is_typed(f"reading {len(names)} values of generation {generation}"):
            if hasattr(self._client, "mget_nonatomic"):  # a cluster: the keys lie in many slots
                return list(self._client.mget_nonatomic(names))
            return list(self._client.mget(names))
