"""The cross-encoder: a BERT-type encoder over (item, query), whose item [CLS] meets the dense features in a head."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reranker.layers import run_layers
from reranker.tokens import PairTensors, TokenRows

HEAD_UNITS = 64
# Standardised features are clipped here: one absurd price must not outvote everything else.
FEATURE_CLIP = 6.0


class Scores(NamedTuple):
    """float32[n] each. `final` orders the slate; `text` is what the texts alone say."""

    final: Tensor
    text: Tensor


class CrossEncoder(nn.Module):  # type: ignore[misc]
    """Scores pairs by text and by dense features.

    final = linear(features) + MLP([CLS; features]) + share * text score, the share learned from 0 on. The linear part
    is meant to start as a listwise logistic model of the features alone (`start_from`), so that training starts at
    least at the candidate order.
    """

    def __init__(self, encoder: Any, feature_mean: NDArray[np.float32], feature_std: NDArray[np.float32]) -> None:
        super().__init__()
        hidden, features = encoder.config.hidden_size, len(feature_mean)
        self.encoder = encoder
        # Not in the state: they stand in the manifest, in full precision.
        self.register_buffer("feature_mean", torch.tensor(feature_mean), persistent=False)
        self.register_buffer("feature_std", torch.tensor(feature_std), persistent=False)
        self.linear = nn.Linear(features, 1, bias=False)
        self.text = nn.Linear(hidden, 1)
        # Learned from nothing: where features say it all, a text score of fixed weight would be noise in the final one.
        self.text_share = nn.Parameter(torch.zeros(1))
        self.mix = nn.Sequential(nn.Linear(hidden + features, HEAD_UNITS), nn.GELU(), nn.Linear(HEAD_UNITS, 1))

    @property
    def layers(self) -> int:
        return len(self.encoder.encoder.layer)

    @property
    def longest_text(self) -> int:
        """Tokens that a query or an item may have, special ones included."""
        return int(self.encoder.config.max_position_embeddings) - self._position_offset

    @property
    def _position_offset(self) -> int:
        padding = self.encoder.embeddings.position_embeddings.padding_idx  # RoBERTa counts from behind it
        return 0 if padding is None else padding + 1

    def start_from(self, weights: NDArray[np.float32]) -> None:
        """Make `weights` (float32[features], for standardised features) the linear part."""
        with torch.no_grad():
            self.linear.weight.copy_(torch.from_numpy(weights)[None, :])

    def forward(self, pairs: PairTensors, features: Tensor) -> Scores:
        """Scores of n pairs; `features` float32[n, features], as contract.features gives them."""
        return self.judge(self.encode(pairs), features)

    def judge(self, cls: Tensor, features: Tensor) -> Scores:
        """The head: scores of n pairs out of their [CLS], [n, hidden], and features."""
        cls = cls.float()
        # The head runs in float32: features lose too much in half precision.
        with torch.autocast(cls.device.type, enabled=False):
            seen = self.standardise(features)
            text = self.text(cls)
            final = self.linear(seen) + self.mix(torch.cat((cls, seen), 1)) + self.text_share * text
        return Scores(final.squeeze(1), text.squeeze(1))

    def standardise(self, features: Tensor) -> Tensor:
        """Zero mean, unit deviation, clipped; what is not finite counts as average."""
        seen = (features - self.feature_mean) / self.feature_std
        return torch.nan_to_num(seen, nan=0.0).clamp(-FEATURE_CLIP, FEATURE_CLIP)

    def encode(self, pairs: PairTensors) -> Tensor:
        """The item's [CLS] after the last layer: [n, hidden]."""
        rows = pairs.laid_out()
        return run_layers(self.encoder.encoder.layer, self.embed(rows), rows.present)

    def embed(self, tokens: TokenRows) -> Tensor:
        """What the first layer reads: [n, length, hidden]."""
        types = tokens.types.clamp(max=self.encoder.config.type_vocab_size - 1)
        hidden = self.encoder.embeddings(
            input_ids=tokens.ids, token_type_ids=types, position_ids=tokens.positions + self._position_offset
        )
        if hasattr(self.encoder, "embeddings_project"):  # ELECTRA's embeddings may be narrower
            hidden = self.encoder.embeddings_project(hidden)
        result: Tensor = hidden
        return result
