"""What the last queries' tokens answer: kept here, and on a shelf that processes share, if there is one."""

from collections import OrderedDict
from typing import Literal

import torch

from contract.errors import CorruptValue
from reranker.encoding import TextEncoder
from reranker.engine import Engine
from reranker.query_states import Answers, QueryShelf, answers_key, packed, unpacked
from reranker.tokens import QUERY, TextTensors

Outcome = Literal["known", "fetched", "read"]
OUTCOMES: tuple[Outcome, ...] = ("known", "fetched", "read")


class Queries:
    """Keys and values of queries by their token ids, so that another history of a user is another query.

    The `limit` asked for last are kept; 0 keeps none. `shelf` is set where processes share them.
    """

    def __init__(
        self, model: str, engine: Engine, encoder: TextEncoder, lowest: int, device: torch.device, limit: int
    ) -> None:
        """`lowest`: the first layer in which any level asks them."""
        self.shelf: QueryShelf | None = None
        self._model, self._engine, self._encoder = model, engine, encoder
        self._lowest, self._device, self._limit = lowest, device, limit
        self._kept: OrderedDict[tuple[int, ...], Answers] = OrderedDict()

    def answers(self, query: tuple[int, ...]) -> tuple[Answers, Outcome]:
        """What its tokens answer in each layer, and whether that was known, fetched from the shelf, or read anew."""
        found = self._kept.get(query)
        if found is not None:
            self._kept.move_to_end(query)
            return found, "known"
        found, outcome = self._shared(query)
        if self._limit:
            self._kept[query] = found
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return found, outcome

    def _shared(self, query: tuple[int, ...]) -> tuple[Answers, Outcome]:
        if self.shelf is None:
            return self._read(query), "read"
        key = answers_key(self._model, self._engine.kind, self._lowest, query)
        raw = self.shelf.get(key)
        if raw is not None:
            try:
                return unpacked(raw, self._engine.forms(self._lowest), self._engine.kind, self._device), "fetched"
            except CorruptValue:  # it is written anew, and so mended
                pass
        found = self._read(query)
        self.shelf.put(key, packed(found))
        return found, "read"

    def _read(self, query: tuple[int, ...]) -> Answers:
        text = TextTensors.of(self._encoder.framed([query]), QUERY, self._device)
        return self._engine.query(text, self._lowest)
