"""Scores a query's items with the split network, from states that are there, or are made on the spot once."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from contract.states import StateBlock
from reranker.depth import LevelName
from reranker.encoding import TextEncoder
from reranker.engine import Engine
from reranker.layers import Attended
from reranker.limits import Limits
from reranker.network import Scores
from reranker.shelf import Shelf, Slab, filled, keys_of
from reranker.split import SplitNetwork
from reranker.states import StateCodec, StateKind
from reranker.tokens import ITEM, QUERY, TextTensors


@dataclass
class Reuse:
    """Texts that scoring needed: `known` from before, or `read` by the network then."""

    items_known: int = 0
    items_read: int = 0
    queries_known: int = 0
    queries_read: int = 0

    def told(self) -> list[tuple[str, str, int]]:
        """All four, which then begin anew."""
        found = [
            ("item", "known", self.items_known),
            ("item", "read", self.items_read),
            ("query", "known", self.queries_known),
            ("query", "read", self.queries_read),
        ]
        self.items_known = self.items_read = self.queries_known = self.queries_read = 0
        return found


class SplitScorer:
    """Keys and values of the last queries are kept by their token ids, so that another history of a user is another
    query. One caller at a time."""

    def __init__(
        self,
        network: SplitNetwork,
        encoder: TextEncoder,
        kind: StateKind,
        levels: dict[LevelName, int],
        device: torch.device,
        limits: Limits,
    ) -> None:
        # A batch of longest texts fits in any case.
        room = max(limits.annex_tokens, limits.batch_pairs * (encoder.item_tokens + 2))
        self.shelf = Shelf(StateCodec(network, kind), device, room)
        self.reuse = Reuse()
        self._engine = Engine(network)
        self._network, self._encoder, self._levels = network, encoder, levels
        self._device, self._batch_pairs = device, limits.batch_pairs
        self._queries: OrderedDict[tuple[int, ...], list[Attended | None]] = OrderedDict()
        self._known_queries = limits.known_queries

    def scores(
        self,
        query: tuple[int, ...],
        items: Sequence[tuple[int, ...]],
        features: NDArray[np.float32],
        level: LevelName,
        batch_pairs: int | None = None,
    ) -> NDArray[np.float32]:
        """float32[2, n]: final and text score of each item; `features` float32[n, features].

        `batch_pairs`: fewer in one pass than usual.
        """
        depth, out = self._levels[level], np.zeros((2, len(items)), np.float32)
        if not items:
            return out
        seen, keys = self._seen(query), keys_of(items)
        order = np.argsort([len(item) for item in items], kind="stable")
        size = min(batch_pairs or self._batch_pairs, self._batch_pairs)
        slab = self.shelf.slab  # one for all of them, whatever is exchanged meanwhile
        for start in range(0, len(items), size):
            rows = order[start : start + size]
            texts, chosen = [items[row] for row in rows], [keys[row] for row in rows]
            self._read_unknown(texts, chosen, slab, size)
            try:
                states = self.shelf.states(chosen, depth, slab)
            except KeyError:  # to make room for some of the batch others were dropped: there is room for all of it
                self.shelf.forget()
                self._read_unknown(texts, chosen, slab, size)
                states = self.shelf.states(chosen, depth, slab)
            cls = self._engine.cls(seen, states, depth)
            scores: Scores = self._network.judge(cls, torch.from_numpy(features[rows]).to(self._device))
            out[:, rows] = torch.stack(scores).cpu().numpy()
        return out

    def read(self, items: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
        """Stored rows [tokens, depths * hidden] of items' texts, one item after another, and their lengths."""
        texts = TextTensors.of(self._encoder.framed(items), ITEM, self._device)
        states, lengths = self._engine.states(texts, self.shelf.codec.depths)
        return self.shelf.codec.stored(states), lengths

    def hold(self, blocks: Iterable[StateBlock], tokens: int) -> int:
        """Exchange the slab for one of these states; its bytes. Raises ValueError for states of another form."""
        slab = filled(self.shelf.codec, blocks, tokens, self._device)
        self.shelf.hold(slab)
        return slab.nbytes

    def read_ahead(self, items: Sequence[tuple[int, ...]]) -> None:
        """Keep the states of the first of these texts, as far as there is room, without counting them as needed."""
        room, before = self.shelf.room, replace(self.reuse)
        ends = np.cumsum([len(item) + 2 for item in items])
        first = items[: int(np.searchsorted(ends, room, "right"))]
        self._read_unknown(first, keys_of(first), self.shelf.slab, self._batch_pairs)
        self.reuse = before

    def _read_unknown(self, items: Sequence[tuple[int, ...]], keys: Sequence[bytes], slab: Slab, size: int) -> None:
        unknown = self.shelf.unknown(keys, slab)
        self.reuse.items_read += len(unknown)
        self.reuse.items_known += len(items) - len(unknown)
        by_length = sorted(unknown, key=lambda place: len(items[place]))
        for start in range(0, len(by_length), size):
            places = by_length[start : start + size]
            rows, lengths = self.read([items[place] for place in places])
            self.shelf.add([keys[place] for place in places], lengths, rows)

    def _seen(self, query: tuple[int, ...]) -> list[Attended | None]:
        """What the query's tokens answer in the layers that any level asks them in."""
        found = self._queries.get(query)
        if found is not None:
            self._queries.move_to_end(query)
            self.reuse.queries_known += 1
            return found
        self.reuse.queries_read += 1
        text = TextTensors.of(self._encoder.framed([query]), QUERY, self._device)
        found = self._engine.query(text, min(self._levels.values()))
        if self._known_queries:
            self._queries[query] = found
            if len(self._queries) > self._known_queries:
                self._queries.popitem(last=False)
        return found
