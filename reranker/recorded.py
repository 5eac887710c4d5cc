"""Passes in fixed shapes over memory that stays, so that a device may do them again by one call each."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from reranker.beside import ByNumber
from reranker.encoding import FramedTexts
from reranker.engine import Answers, States
from reranker.fixed_shapes import FixedShapes, Shape
from reranker.graphs import Body, Recorder
from reranker.layers import Attended
from reranker.layout import Grid
from reranker.passes import Asked, Direct
from reranker.states import StateCodec
from reranker.tokens import QUERY, TextTensors
from reranker.transfer import put, to_device


class Recorded:
    """Passes that were recorded; what fits none of their shapes goes the direct way.

    Passes write over what the last one read: what they return is the caller's own.
    """

    def __init__(
        self, direct: Direct, shapes: FixedShapes, codec: StateCodec, depths: Sequence[int], record: Recorder
    ) -> None:
        """Records every shape at each of `depths`, the levels'."""
        self._direct = direct
        self._queries = QueryPasses(direct, shapes, record)
        self._items = ItemPasses(direct, shapes, codec, depths, record)

    def queries(self, texts: FramedTexts) -> list[Answers]:
        return self._queries(texts) or self._direct.queries(texts)

    def items(self, asked: Asked) -> Tensor:
        found = self._items(asked)
        return self._direct.items(asked) if found is None else found


class QueryPasses:
    """Reads queries. Called with none of a shape that was recorded it says None."""

    def __init__(self, direct: Direct, shapes: FixedShapes, record: Recorder) -> None:
        most, longest = shapes.largest.queries, shapes.query_lengths[-1]
        self._direct, self._shapes = direct, shapes
        self._ids = torch.zeros(most, longest, dtype=torch.int64, device=direct.device)
        self._lengths = torch.ones(most, dtype=torch.int64, device=direct.device)
        self._found = rows_of_answers(direct, most, longest)
        self._again = {shape: record(partial(self._read, *shape)) for shape in shapes.of_queries()}

    def __call__(self, texts: FramedTexts) -> list[Answers] | None:
        count, longest = texts.ids.shape
        shape = self._shapes.holding_queries(count, longest)
        if shape is None:
            return None
        rows, _ = shape
        ids, lengths = np.zeros((rows, self._ids.shape[1]), np.int64), np.ones(rows, np.int64)
        ids[:count, :longest], lengths[:count] = texts.ids, texts.lengths
        put(ids, self._ids)
        put(lengths, self._lengths)
        self._again[shape]()
        return [
            [answers and answers.row(place, length) for answers in self._found]
            for place, length in enumerate(texts.lengths.tolist())
        ]

    def _read(self, rows: int, longest: int) -> None:
        texts = TextTensors(self._ids[:rows, :longest], self._lengths[:rows], QUERY)
        for kept, found in zip(self._found, self._direct.engine.read(texts, self._direct.lowest), strict=True):
            if kept is not None and found is not None:
                kept.keys[:rows, :, :longest].copy_(found.keys)
                kept.values[:rows, :, :longest].copy_(found.values)


class ItemPasses:
    """Scores items beside queries. Called with more, or longer ones, than was recorded it says None."""

    def __init__(
        self, direct: Direct, shapes: FixedShapes, codec: StateCodec, depths: Sequence[int], record: Recorder
    ) -> None:
        most, device = shapes.largest, direct.device
        self._direct, self._shapes, self._codec = direct, shapes, codec
        self._rows = torch.zeros(most.items * most.longest, codec.hidden, dtype=codec.dtype, device=device)
        self._lengths = torch.ones(most.items, dtype=torch.int64, device=device)
        self._of = torch.zeros(most.items, dtype=torch.int64, device=device)
        self._features = torch.zeros(most.items, len(direct.engine.network.feature_mean), device=device)
        self._beside = rows_of_answers(direct, most.queries, shapes.query_lengths[-1])
        self._asked: list[Answers | None] = [None] * most.queries
        self._scores = torch.zeros(most.items, 2, device=device)
        self._again: dict[tuple[Shape, int], Body] = {}
        for depth in depths:
            for shape in shapes:
                self._again[shape, depth] = record(partial(self._score, shape, depth))

    def __call__(self, asked: Asked) -> Tensor | None:
        queries, counts, states, features, depth = asked
        lengths = states.lengths.numpy()
        shape = self._shapes.holding(len(lengths), int(lengths.max()), len(queries))
        if shape is None or not all(map(self._fits, queries)):
            return None
        for place, answers in enumerate(queries):
            self._ask(place, answers)
        known, of = np.ones(shape.items, np.int64), np.zeros(shape.items, np.int64)
        known[: len(lengths)], of[: len(lengths)] = lengths, np.repeat(np.arange(len(queries)), counts)
        put(known, self._lengths)
        put(of, self._of)
        put(features, self._features)
        behind = np.arange(len(lengths)) * shape.longest - (np.cumsum(lengths) - lengths)
        places = np.arange(len(states.rows)) + np.repeat(behind, lengths)
        self._rows.index_copy_(0, to_device(places, self._direct.device), states.rows)
        self._again[shape, depth]()
        return self._scores[: len(lengths)].T.clone()

    def _fits(self, answers: Answers) -> bool:
        longest = self._shapes.query_lengths[-1]
        return all(one is None or one.keys.shape[2] <= longest for one in answers)

    def _ask(self, place: int, answers: Answers) -> None:
        """Have `answers` in row `place`, if they are not there from before."""
        if self._asked[place] is answers:
            return
        self._asked[place] = None  # what fails in between is not known
        for row, one in zip(self._beside, answers, strict=True):
            if row is not None and one is not None:
                length, present = one.keys.shape[2], row.present  # the same in all layers
                row.keys[place, :, :length].copy_(one.keys[0])
                row.values[place, :, :length].copy_(one.values[0])
        present[place].zero_()
        present[place, :length].fill_(True)
        self._asked[place] = answers

    def _score(self, shape: Shape, depth: int) -> None:
        items, longest, queries = shape
        lengths, engine = self._lengths[:items], self._direct.engine
        states = States(self._rows[: items * longest], lengths, self._codec.scale(depth))
        cls = engine.after(states, Grid(lengths, longest), depth, self._asked_of(items, queries))
        self._scores[:items].copy_(torch.stack(engine.network.judge(cls, self._features[:items]), 1))

    def _asked_of(self, items: int, queries: int) -> Callable[[int], ByNumber]:
        def beside(place: int) -> ByNumber:
            row = self._beside[place]
            assert row is not None, f"layer {place} is below every level"
            return ByNumber(Attended(*(part[:queries] for part in row)), self._of[:items])

        return beside


def rows_of_answers(direct: Direct, rows: int, longest: int) -> Answers:
    """Room for what so many queries of so many tokens answer in each layer; none of their tokens is present yet."""
    device, kind = direct.device, direct.engine.kind
    present = torch.zeros(rows, longest, dtype=torch.bool, device=device)
    found: Answers = []
    for form in direct.engine.forms(direct.lowest):
        if form is None:
            found.append(None)
            continue
        keys, values = (torch.zeros(rows, form[0], longest, form[1], dtype=kind, device=device) for _ in range(2))
        found.append(Attended(keys, values, present))
    return found
