"""Item records for scoring, of the generations that gateways ask about."""

from collections.abc import Sequence

from contract.errors import NoGeneration
from contract.records import GenerationMeta, ItemRecord
from contract.store.reader import Reader
from online.known_items import KnownItems

KEPT_METAS = 8


class Catalogue:
    """Raises StoreUnreachable and CorruptValue. Used by the scoring thread alone."""

    def __init__(self, reader: Reader, known_items: int) -> None:
        self._reader = reader
        self._items = KnownItems(reader.items, known_items)
        self._metas: dict[int, GenerationMeta] = {}

    def require_features(self, generation: int, feature_view: str, vector_space: str) -> None:
        """Raises NoGeneration unless the generation is there and has the features that the model learnt from."""
        if generation not in self._metas:
            meta = self._reader.meta(generation)
            if len(self._metas) >= KEPT_METAS:
                self._metas.clear()
            self._metas[generation] = meta
        meta = self._metas[generation]
        for what, published, learnt in (
            ("feature view", meta.feature_view, feature_view),
            ("vector space", meta.vector_space, vector_space),
        ):
            if published != learnt:
                raise NoGeneration(
                    f"generation {generation} has {what} {published or 'unknown'}, the model wants "
                    f"{learnt or 'unknown'}: publish again, or promote a model trained on it"
                )

    def items(self, generation: int, item_ids: Sequence[str]) -> dict[str, ItemRecord]:
        return self._items.records(generation, item_ids)
