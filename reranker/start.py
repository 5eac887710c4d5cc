"""Where training starts: the base model under a head that scores as a logistic model of the features does."""

from collections.abc import Sequence
from pathlib import Path

import torch

from contract.errors import BadInput
from reranker.encoders import load_base_encoder
from reranker.encoding import TextEncoder
from reranker.examples import Example
from reranker.logistic import feature_scale, fit_logistic
from reranker.network import CrossEncoder

# Of the random last layer of the head.
MIX_SHARE = 0.1


def start_network(base: Path, encoder: TextEncoder, examples: Sequence[Example], seed: int) -> CrossEncoder:
    """A network for `examples`, its feature scale and linear part fitted to them; the rest of its head is random.

    Raises BadInput where the base model does not load, or cannot read texts as long as `encoder` lets them be.
    """
    torch.manual_seed(seed)
    features, labels = [example.features for example in examples], [example.labels for example in examples]
    mean, std = feature_scale(features)
    network = CrossEncoder(load_base_encoder(base), mean, std)
    longest = max(encoder.query_tokens, encoder.item_tokens) + 2
    if longest > network.longest_text:
        raise BadInput(
            f"base model {base}: it reads {network.longest_text} tokens, but texts may have {longest}: lower "
            "PACE_TRAINING__QUERY_TOKENS and PACE_TRAINING__ITEM_TOKENS"
        )
    network.start_from(fit_logistic(features, labels, mean, std))
    with torch.no_grad():  # a whisper: its random say costs the linear part several points of NDCG@10
        network.mix[-1].weight.mul_(MIX_SHARE)
    return network
