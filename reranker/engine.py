"""The split network as it is served: queries once, items from their stored states, no padding, [CLS] alone at last."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from reranker.layers import Attended, ask, attended
from reranker.packed import Alone, Layout, Whole
from reranker.split import SplitNetwork
from reranker.tokens import TextTensors


class States(NamedTuple):
    """The states of n items, one after another: `rows` [tokens, hidden] in the engine's format, or int8 in units of
    `scale` [hidden]; `lengths` int64[n]."""

    rows: Tensor
    lengths: Tensor
    scale: Tensor | None

    def plain(self, kind: torch.dtype) -> Tensor:
        """The rows in `kind`."""
        rows = self.rows.to(kind)
        return rows if self.scale is None else rows * self.scale.to(kind)


class Engine:
    """Runs a split network whose encoder is in any number format; weights that change later are not seen.

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
        """Heads and their size of what `query` finds in each layer."""
        attentions = [layer.attention.self for layer in self._layers]
        forms = [(each.key.out_features // each.attention_head_size, each.attention_head_size) for each in attentions]
        return [form if place >= lowest else None for place, form in enumerate(forms)]

    def query(self, text: TextTensors, lowest: int) -> list[Attended | None]:
        """What a query's tokens answer to items in each layer from `lowest` on; `text` is one row."""
        hidden = self.network.embed(text.tokens())
        found: list[Attended | None] = []
        for place, layer in enumerate(self._layers):
            answers = attended(layer, hidden, text.present)
            found.append(answers if place >= lowest else None)
            if place < len(self._layers) - 1:
                hidden = ask(layer, hidden, answers)
        return found

    def states(self, items: TextTensors, depths: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """The items' states [tokens, hidden] at each of `depths`, one item after another, and their lengths."""
        layout = Layout(items.lengths)
        items = items._replace(ids=items.ids[:, : layout.longest])
        tokens = layout.packed(self.network.embed(items.tokens()))
        found = []
        for place in range(max(depths) + 1):
            if place in depths:
                found.append(tokens[: layout.tokens])
            if place < max(depths):
                tokens = self._whole[place].step(tokens, layout, None)
        return found, items.lengths

    def cls(self, query: Sequence[Attended | None], states: States, depth: int) -> Tensor:
        """The items' [CLS] after the last layer, [n, hidden], from their states at `depth`."""
        layout = Layout(states.lengths)
        rows, scale = states.rows, states.scale
        if depth < len(self._layers) - 1 or scale is None:
            rows, scale = states.plain(self.kind), None
        if depth < len(self._layers) - 1:
            rows = layout.filled_up(rows)
        for place in range(depth, len(self._layers) - 1):
            rows = self._whole[place].step(rows, layout, query[place])
        cls = rows.index_select(0, layout.starts).to(self.kind)
        if scale is not None:
            # int8 is exact in every format: its units are applied to what is asked, not to every token.
            scale = scale.to(self.kind)
            cls = cls * scale
        answers = query[-1]
        assert answers is not None
        return self._alone.step(cls, layout.padded(rows).to(self.kind), layout.present, scale, answers)
