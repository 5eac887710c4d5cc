"""The split network as it is served: queries once, items from their stored states, no padding, [CLS] alone at last."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from reranker.beside import Beside, InTurn
from reranker.layers import Attended
from reranker.layout import Layout, Packed
from reranker.packed import Alone, Whole
from reranker.split import SplitNetwork
from reranker.tokens import TextTensors

# Of one query: what its tokens answer in each layer, a row; None where nobody asks them.
Answers = list[Attended | None]


class States(NamedTuple):
    """The states of n items, one after another: `rows` [tokens, hidden] in the engine's format, or int8 in units of
    `scale` [hidden]; `lengths` int64[n], on a CPU."""

    rows: Tensor
    lengths: Tensor
    scale: Tensor | None

    def plain(self, kind: torch.dtype) -> Tensor:
        """The rows in `kind`."""
        rows = self.rows.to(kind)
        return rows if self.scale is None else rows * self.scale.to(kind)


class Engine:
    """Runs a split network whose encoder is in any number format; of weights that change later some are seen, some not.

    For inference: nothing here keeps gradients.
    """

    def __init__(self, network: SplitNetwork) -> None:
        self.network = network
        self._layers = list(network.encoder.encoder.layer)
        with torch.no_grad():
            self._whole = [Whole(layer) for layer in self._layers[:-1]]
            self._alone = Alone(self._layers[-1])

    @property
    def kind(self) -> torch.dtype:
        kind: torch.dtype = self._layers[0].output.dense.weight.dtype
        return kind

    def forms(self, lowest: int) -> list[tuple[int, int] | None]:
        """Heads and their size of what `queries` finds in each layer."""
        attentions = [layer.attention.self for layer in self._layers]
        forms = [(each.key.out_features // each.attention_head_size, each.attention_head_size) for each in attentions]
        return [form if place >= lowest else None for place, form in enumerate(forms)]

    def queries(self, texts: TextTensors, lowest: int) -> list[Answers]:
        """What each query's tokens answer to items in each layer from `lowest` on."""
        layers = self.read(texts, lowest)
        if len(texts.ids) == 1:
            return [layers]
        lengths = texts.lengths.tolist()
        return [[answers and answers.row(place, length) for answers in layers] for place, length in enumerate(lengths)]

    def read(self, texts: TextTensors, lowest: int) -> Answers:
        """The same of all queries at once, a row each, padded as `texts` are."""
        hidden = self.network.embed(texts.tokens())
        layers: list[Attended | None] = []
        for place, layer in enumerate(self._whole):
            hidden, answers = layer.read(hidden, texts.present)
            layers.append(answers if place >= lowest else None)
        return [*layers, self._alone.answers(hidden, texts.present)]

    def states(self, items: TextTensors, depths: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """The items' states [tokens, hidden] at each of `depths`, one item after another, and their lengths."""
        layout = Packed(items.lengths.cpu(), items.ids.device)
        items = items._replace(ids=items.ids[:, : layout.longest])
        tokens = layout.packed(self.network.embed(items.tokens()))
        found = []
        for place in range(max(depths) + 1):
            if place in depths:
                found.append(tokens[: layout.tokens])
            if place < max(depths):
                tokens = self._whole[place].step(tokens, layout, None)
        return found, items.lengths

    def cls(self, queries: Sequence[Answers], counts: Sequence[int], states: States, depth: int) -> Tensor:
        """The items' [CLS] after the last layer, [n, hidden], from their states at `depth`.

        The first `counts[0]` items are of `queries[0]`, and so on.
        """
        layout = Packed(states.lengths, states.rows.device)
        return self.after(states, layout, depth, lambda place: _in_turn(queries, counts, place))

    def after(self, states: States, layout: Layout, depth: int, beside: Callable[[int], Beside]) -> Tensor:
        """The same in any layout of the states' rows; `beside` tells what is asked in a layer."""
        rows, scale = states.rows, states.scale
        if depth < len(self._layers) - 1 or scale is None:
            rows, scale = states.plain(self.kind), None
        if depth < len(self._layers) - 1:
            rows = layout.filled_up(rows)
        for place in range(depth, len(self._layers) - 1):
            rows = self._whole[place].step(rows, layout, beside(place))
        cls = rows.index_select(0, layout.starts).to(self.kind)
        if scale is not None:
            # int8 is exact in every format: its units are applied to what is asked, not to every token.
            scale = scale.to(self.kind)
            cls = cls * scale
        tokens = layout.padded(rows).to(self.kind)
        return self._alone.step(cls, tokens, layout.present, scale, beside(-1))


def _in_turn(queries: Sequence[Answers], counts: Sequence[int], place: int) -> InTurn:
    """Of one layer, in which they all answer."""
    return InTurn([answers for query in queries if (answers := query[place]) is not None], counts)
