"""Item states as they are stored: int8 a channel, or float16 where int8 would change the scores."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from contract.errors import PacesetterError
from reranker.depth import level_depths
from reranker.encoding import TextEncoder
from reranker.split import SplitNetwork
from reranker.tokens import ITEM, TextTensors

StateKind = Literal["int8", "float16"]
HIGHEST = 127
# Texts that the channels' ranges are taken from, and how many at a time.
SAMPLE_TEXTS, AT_ONCE = 2048, 64


def calibrate(network: SplitNetwork, encoder: TextEncoder, texts: Sequence[Sequence[int]]) -> None:
    """Set the network's `state_scale` to what the largest state of each channel needs, over the first of `texts`.

    `texts` are items' token ids. Larger states of other texts are cut off.
    """
    depths = list(level_depths(network.layers).values())
    largest = torch.zeros_like(network.state_scale)
    with torch.inference_mode():
        for start in range(0, min(len(texts), SAMPLE_TEXTS), AT_ONCE):
            device = network.state_scale.device
            items = TextTensors.of(encoder.framed(texts[start : start + AT_ONCE]), ITEM, device)
            for row, depth in enumerate(depths):
                states = network.item_states(items, depth)[items.present].abs().amax(0)
                largest[row] = torch.maximum(largest[row], states.float())
    # As float16 holds it: so the artifact's weights say what the scales are.
    network.state_scale.copy_((largest / HIGHEST).clamp(min=1e-6).half().float())


class StateCodec:
    """States [tokens, hidden] at each depth of a network's levels to rows [tokens, depths * hidden] and back."""

    def __init__(self, network: SplitNetwork, kind: StateKind) -> None:
        self.kind = kind
        self.depths = tuple(level_depths(network.layers).values())
        self.hidden = int(network.encoder.config.hidden_size)
        self._scale = network.state_scale.float()

    @property
    def width(self) -> int:
        return len(self.depths) * self.hidden

    @property
    def dtype(self) -> torch.dtype:
        kind: torch.dtype = getattr(torch, self.kind)
        return kind

    def scale(self, depth: int) -> Tensor | None:
        """float32[hidden]: what a unit stands for; None in float16."""
        return self._scale[self.depths.index(depth)] if self.kind == "int8" else None

    def stored(self, states: Sequence[Tensor]) -> Tensor:
        """`states` are of `depths`, in this order. What float16 or int8 cannot hold is cut off.

        Raises PacesetterError for a state that is no finite number.
        """
        rows = [self._stored(one.float(), depth) for one, depth in zip(states, self.depths, strict=True)]
        return torch.cat(rows, 1)

    def at(self, rows: Any, depth: int) -> Any:
        """The columns of one depth, of a tensor or an array."""
        place = self.depths.index(depth)
        return rows[:, place * self.hidden : (place + 1) * self.hidden]

    def _stored(self, states: Tensor, depth: int) -> Tensor:
        if not bool(torch.isfinite(states).all()):
            raise PacesetterError(
                "an item state is no finite number: the weights are of no use in this number format; train again"
            )
        scale = self.scale(depth)
        if scale is None:
            return states.clamp(-65504, 65504).to(torch.float16)
        return (states / scale).round().clamp(-HIGHEST, HIGHEST).to(torch.int8)
