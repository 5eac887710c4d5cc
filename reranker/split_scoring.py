"""Scores a query's items with the split network, from states that are there, or are made on the spot once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from contract.states import StateBlock
from reranker.depth import LevelName
from reranker.encoding import TextEncoder
from reranker.engine import Engine
from reranker.limits import Limits
from reranker.network import Scores
from reranker.queries import OUTCOMES, Queries
from reranker.shelf import Shelf, Slab, filled, keys_of
from reranker.split import SplitNetwork
from reranker.states import StateCodec, StateKind
from reranker.stopwatch import Stopwatch
from reranker.tokens import ITEM, TextTensors


class Reuse(Counter[tuple[str, str]]):
    """Texts that scoring needed, by kind and outcome: `known` from before, `fetched` from the shelf that processes
    share, or `read` by the network then."""

    def told(self) -> list[tuple[str, str, int]]:
        """All of them, which then begin anew."""
        found = [("item", outcome, self["item", outcome]) for outcome in ("known", "read")]
        found += [("query", outcome, self["query", outcome]) for outcome in OUTCOMES]
        self.clear()
        return found


class SplitScorer:
    """For one caller at a time."""

    def __init__(
        self,
        network: SplitNetwork,
        encoder: TextEncoder,
        kind: StateKind,
        levels: dict[LevelName, int],
        device: torch.device,
        limits: Limits,
        model: str = "",
    ) -> None:
        """`model`: the version that shared states of queries are known by."""
        # A batch of longest texts fits in any case.
        room = max(limits.annex_tokens, limits.batch_pairs * (encoder.item_tokens + 2))
        self.shelf = Shelf(StateCodec(network, kind), tuple(levels.values()), device, room)
        self.reuse = Reuse()
        self.encoding = Stopwatch(device)
        self._engine = Engine(network)
        self.queries = Queries(model, self._engine, encoder, min(levels.values()), device, limits.known_queries)
        self._network, self._encoder, self._levels = network, encoder, levels
        self._device, self._batch_pairs = device, limits.batch_pairs

    def scores(
        self,
        query: tuple[int, ...],
        items: Sequence[tuple[int, ...]],
        features: NDArray[np.float32],
        level: LevelName,
        batch_pairs: int | None = None,
    ) -> NDArray[np.float32]:
        """float32[2, n]: final and text score of each item; `features` float32[n, features].

        What of it went to reading texts, `encoding` has measured. `batch_pairs`: fewer in one pass than usual.
        """
        depth, out = self._levels[level], np.zeros((2, len(items)), np.float32)
        if not items:
            return out
        with self.encoding.running():
            (seen, outcome), keys = self.queries.answers(query), keys_of(items)
        self.reuse["query", outcome] += 1
        order = np.argsort([len(item) for item in items], kind="stable")
        size = min(batch_pairs or self._batch_pairs, self._batch_pairs)
        slab = self.shelf.slab  # one for all of them, whatever is exchanged meanwhile
        for start in range(0, len(items), size):
            rows = order[start : start + size]
            texts, chosen = [items[row] for row in rows], [keys[row] for row in rows]
            with self.encoding.running():
                self._read_unknown(texts, chosen, slab, size)
            try:
                states = self.shelf.states(chosen, depth, slab)
            except KeyError:  # to make room for some of the batch others were dropped: there is room for all of it
                self.shelf.forget()
                with self.encoding.running():
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
        slab = filled(self.shelf.codec, self.shelf.depths, blocks, tokens, self._device)
        self.shelf.hold(slab)
        return slab.nbytes

    def read_ahead(self, items: Sequence[tuple[int, ...]]) -> None:
        """Keep the states of the first of these texts, as far as there is room, without counting them as needed."""
        room = self.shelf.room
        ends = np.cumsum([len(item) + 2 for item in items])
        first = items[: int(np.searchsorted(ends, room, "right"))]
        with self.unnoticed():
            self._read_unknown(first, keys_of(first), self.shelf.slab, self._batch_pairs)

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """Within, nothing is counted, and no query is shared."""
        reuse, shelf = self.reuse, self.queries.shelf
        self.reuse, self.queries.shelf = Reuse(), None
        try:
            yield
        finally:
            self.reuse, self.queries.shelf = reuse, shelf

    def _read_unknown(self, items: Sequence[tuple[int, ...]], keys: Sequence[bytes], slab: Slab, size: int) -> None:
        unknown = self.shelf.unknown(keys, slab)
        self.reuse["item", "read"] += len(unknown)
        self.reuse["item", "known"] += len(items) - len(unknown)
        by_length = sorted(unknown, key=lambda place: len(items[place]))
        for start in range(0, len(by_length), size):
            places = by_length[start : start + size]
            rows, lengths = self.read([items[place] for place in places])
            self.shelf.add([keys[place] for place in places], lengths, rows)
