"""The split network: a cross-encoder under a mask that lets most of its work be done before the query is there.

Query tokens attend to query tokens alone, so that a query is encoded once for all of its candidates. Item tokens
attend to their own item, and from layer k on also to the query, as it was before the same layer (its keys and values
of that layer). The last layer computes the item's [CLS] alone. One set of weights serves every depth k of
`training_depths`: training draws one a step.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reranker.depth import checked, level_depths, training_depths
from reranker.layers import ask, attended
from reranker.network import CrossEncoder
from reranker.tokens import PairTensors, TextTensors


class SplitNetwork(CrossEncoder):
    """A cross-encoder whose items do not see the query in their lowest `depth` layers.

    `state_scale` float32[levels, hidden] is what a unit of an int8 item state stands for in each channel at each
    level's depth; 0 before `reranker.states.calibrate`.
    """

    def __init__(self, encoder: Any, feature_mean: NDArray[np.float32], feature_std: NDArray[np.float32]) -> None:
        super().__init__(encoder, feature_mean, feature_std)
        self.depth = level_depths(self.layers)["full"]
        shape = len(level_depths(self.layers)), encoder.config.hidden_size
        self.register_buffer("state_scale", torch.zeros(shape))

    @staticmethod
    def of(network: CrossEncoder) -> "SplitNetwork":
        """The network's own weights, not copies, under the mask."""
        mean, std = (scale.cpu().numpy() for scale in (network.feature_mean, network.feature_std))
        split = SplitNetwork(network.encoder, mean, std)
        split.to(network.feature_mean.device)
        split.linear, split.text, split.mix = network.linear, network.text, network.mix
        split.text_share = network.text_share
        split.train(network.training)
        return split

    @contextmanager
    def at_depth(self, depth: int) -> Iterator["SplitNetwork"]:
        """Within, items do not see the query in their lowest `depth` layers. Raises BadInput for no such depth."""
        before, self.depth = self.depth, checked(depth, self.layers)
        try:
            yield self
        finally:
            self.depth = before

    def encode(self, pairs: PairTensors) -> Tensor:
        """The item's [CLS] after the last layer: [n, hidden]. In training at a depth drawn at random."""
        depth = self.depth
        if self.training:
            depths = training_depths(self.layers)
            depth = depths[int(torch.randint(len(depths), ()))]
        query, item = self.embed(pairs.queries.tokens()), self.embed(pairs.items.tokens())
        of_query, of_item = pairs.queries.present, pairs.items.present
        for place, layer in enumerate(self.encoder.encoder.layer):
            last = place == self.layers - 1
            asked, answers = attended(layer, item, of_item), attended(layer, query, of_query)
            if place >= depth:
                asked = asked.beside(answers.of(pairs.of))
            item = ask(layer, item[:, :1] if last else item, asked)
            if not last:
                query = ask(layer, query, answers)
        return item[:, 0]

    def item_states(self, items: TextTensors, depth: int) -> Tensor:
        """What `depth` layers make of items alone: [n, longest, hidden]; padding holds anything."""
        hidden = self.embed(items.tokens())
        for layer in self.encoder.encoder.layer[:depth]:
            hidden = ask(layer, hidden, attended(layer, hidden, items.present))
        return hidden
