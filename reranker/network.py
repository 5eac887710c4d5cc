"""The cross-encoder: a BERT-type encoder over (item, query), whose item [CLS] meets the dense features in a head."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn

from contract.errors import BadInput
from reranker.encoding import PairTokens

# Encoders whose layers have the parts that `run_layer` names; others differ in their attention.
ENCODER_TYPES = ("bert", "camembert", "electra", "roberta", "xlm-roberta")

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

    def forward(self, pairs: "PairTensors", features: Tensor) -> Scores:
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

    def encode(self, pairs: "PairTensors") -> Tensor:
        """The item's [CLS] after the last layer: [n, hidden]."""
        return run_layers(self.encoder.encoder.layer, self.embed(pairs), pairs.present)

    def embed(self, pairs: "PairTensors") -> Tensor:
        """What the first layer reads: [n, length, hidden]."""
        types = pairs.types.clamp(max=self.encoder.config.type_vocab_size - 1)
        hidden = self.encoder.embeddings(
            input_ids=pairs.ids, token_type_ids=types, position_ids=pairs.positions + self._position_offset
        )
        if hasattr(self.encoder, "embeddings_project"):  # ELECTRA's embeddings may be narrower
            hidden = self.encoder.embeddings_project(hidden)
        result: Tensor = hidden
        return result


class PairTensors(NamedTuple):
    """reranker.encoding.PairTokens on the network's device."""

    ids: Tensor
    types: Tensor
    positions: Tensor
    present: Tensor

    @staticmethod
    def of(pairs: PairTokens, device: torch.device) -> "PairTensors":
        arrays = pairs.ids, pairs.types, pairs.positions, pairs.present
        return PairTensors(*(torch.from_numpy(array).to(device, non_blocking=True) for array in arrays))


def run_layers(layers: Iterable[Any], hidden: Tensor, present: Tensor) -> Tensor:
    """[CLS] after the last of `layers`: [n, hidden]. The last one computes nothing but [CLS]."""
    *lower, last = layers
    for layer in lower:
        hidden = run_layer(layer, hidden, hidden, present)
    return run_layer(last, hidden[:, :1], hidden, present)[:, 0]


def run_layer(layer: Any, asking: Tensor, asked: Tensor, present: Tensor) -> Tensor:
    """One encoder layer for the tokens `asking` [n, a, hidden], which attend to `asked` [n, b, hidden].

    `present` bool[n, b] is false where `asked` is padding. Equal to the layer's own forward where both are the
    same tokens. How many heads and neurons it has follows from its weights: pruned layers differ. Attention is plain
    matmul and softmax: its backward is faster on CPUs than the fused kernel's.
    """
    attention = layer.attention.self
    queries, keys, values = (
        part.unflatten(2, (-1, attention.attention_head_size)).transpose(1, 2)
        for part in (attention.query(asking), attention.key(asked), attention.value(asked))
    )
    weights = queries @ keys.transpose(2, 3) * attention.attention_head_size**-0.5
    weights = weights.masked_fill(~present[:, None, None, :], torch.finfo(weights.dtype).min)
    mixed = (weights.softmax(3) @ values).transpose(1, 2).flatten(2)
    mixed = layer.attention.output(mixed, asking)
    result: Tensor = layer.output(layer.intermediate(mixed), mixed)
    return result


def load_base_encoder(directory: Path) -> Any:
    """The encoder of a local Hugging Face directory in float32, without dropout and pooler.

    Without dropout: its random numbers cost a fifth of a training step on a CPU, and one epoch does not overfit.
    Raises BadInput for another type of encoder, or where the weights do not load or are not all there.
    """
    from transformers import AutoConfig, AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(directory, local_files_only=True)
        _check_type(config.model_type, f"base model {directory}")
        if config.num_hidden_layers < 1:
            raise BadInput(f"base model {directory}: its config.json has no layer (num_hidden_layers)")
        encoder, loading = AutoModel.from_pretrained(
            directory,
            output_loading_info=True,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise BadInput(f"base model {directory} does not load: {error}") from error
    # What is missing would be filled with random numbers and a warning.
    if missing := sorted(name for name in loading["missing_keys"] if not name.startswith("pooler.")):
        raise BadInput(f"base model {directory}: its weights lack {missing[0]} and {len(missing) - 1} others")
    return _without_pooler(encoder)


def build_encoder(config: dict[str, Any]) -> Any:
    """A randomly initialised encoder of a Hugging Face `config.json`. Raises BadInput for another type of encoder."""
    from transformers import AutoConfig, AutoModel

    _check_type(config.get("model_type"), "config.json")
    return _without_pooler(AutoModel.from_config(AutoConfig.for_model(**config)))


def _check_type(model_type: object, where: str) -> None:
    if model_type not in ENCODER_TYPES:
        raise BadInput(f"{where}: encoder type {model_type!r} is not supported; use one of {', '.join(ENCODER_TYPES)}")


def _without_pooler(encoder: Any) -> Any:
    encoder.pooler = None
    return encoder
