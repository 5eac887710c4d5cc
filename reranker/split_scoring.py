"""Scores queries' items with the split network, from states that are there, or are made on the spot once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from contract.states import StateBlock
from reranker.depth import LevelName
from reranker.encoding import TextEncoder
from reranker.engine import Answers, Engine, States
from reranker.limits import Limits
from reranker.passes import Asked, Direct, Passes, in_passes
from reranker.prepared import PairScores, PreparedQuery
from reranker.queries import OUTCOMES, Queries
from reranker.shelf import Shelf, Slab, filled, keys_of
from reranker.split import SplitNetwork
from reranker.states import StateCodec, StateKind
from reranker.stopwatch import Stopwatch
from reranker.tokens import ITEM, TextTensors
from reranker.transfer import to_numpy


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
        limits = limits.on(device, whole=False)
        # A batch of longest texts fits in any case.
        room = max(limits.annex_tokens, limits.batch_pairs * (encoder.item_tokens + 2))
        self.shelf = Shelf(StateCodec(network, kind), tuple(levels.values()), device, room)
        self.reuse = Reuse()
        self.encoding = Stopwatch(device)
        self.direct = Direct(Engine(network), min(levels.values()), device)
        self.queries = Queries(model, self.direct, encoder, limits.known_queries)
        self.levels, self.encoder = levels, encoder
        self._device, self.batch_pairs = device, limits.batch_pairs

    @property
    def passes(self) -> Passes:
        return self.queries.passes

    @passes.setter
    def passes(self, passes: Passes) -> None:
        self.queries.passes = passes

    def scores(
        self, asked: Sequence[PreparedQuery], level: LevelName, batch_pairs: int | None = None
    ) -> list[PairScores]:
        """Of each query's items. What of it went to reading texts, `encoding` has measured.

        `batch_pairs`: fewer in a pass than usual.
        """
        items = [item for one in asked for item in one.items]
        if not items:
            return [PairScores(*np.zeros((2, 0), np.float32)) for _ in asked]
        queries = self._answers([one.query for one in asked if one.items])
        of = np.repeat(np.arange(len(queries)), [len(one.items) for one in asked if one.items])
        features = np.concatenate([one.features for one in asked])
        keys, found, order = keys_of(items), [], []
        size = min(batch_pairs or self.batch_pairs, self.batch_pairs)
        slab = self.shelf.slab  # one for all of them, whatever is exchanged meanwhile
        for rows in in_passes([one.items for one in asked], size):
            states = self._states([items[row] for row in rows], [keys[row] for row in rows], level, slab, size)
            asking, counts = np.unique(of[rows], return_counts=True)
            beside = [queries[place] for place in asking]
            found.append(self.passes.items(Asked(beside, counts.tolist(), states, features[rows], self.levels[level])))
            order.append(rows)
        out = np.empty((2, len(items)), np.float32)
        out[:, np.concatenate(order)] = to_numpy(torch.cat(found, 1))
        ends = np.cumsum([len(one.items) for one in asked])
        return [PairScores(*part) for part in np.split(out, ends[:-1], 1)]

    def _answers(self, queries: Sequence[tuple[int, ...]]) -> list[Answers]:
        with self.encoding.running():
            found = self.queries.answers(queries)
        self.reuse.update(("query", outcome) for _, outcome in found)
        return [answers for answers, _ in found]

    def _states(
        self, texts: Sequence[tuple[int, ...]], keys: Sequence[bytes], level: LevelName, slab: Slab, size: int
    ) -> States:
        """Of texts of one pass; those that are not there are read."""
        depth = self.levels[level]
        with self.encoding.running():
            self._read_unknown(texts, keys, slab, size)
        try:
            return self.shelf.states(keys, depth, slab)
        except KeyError:  # to make room for some of the batch others were dropped: there is room for all of it
            self.shelf.forget()
            with self.encoding.running():
                self._read_unknown(texts, keys, slab, size)
            return self.shelf.states(keys, depth, slab)

    def read(self, items: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
        """Stored rows [tokens, depths * hidden] of items' texts, one item after another, and their lengths."""
        texts = TextTensors.of(self.encoder.framed(items), ITEM, self._device)
        states, lengths = self.direct.engine.states(texts, self.shelf.codec.depths)
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
            self._read_unknown(first, keys_of(first), self.shelf.slab, self.batch_pairs)

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
