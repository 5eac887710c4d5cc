"""A split student of the colour shop, as prune exports one, without any training."""

from pathlib import Path

import numpy as np
import torch

from contract.features import feature_names
from jobs.model.dataset import as_example
from reranker.depth import level_depths
from reranker.encoding import TextEncoder
from reranker.export import export_artifact
from reranker.manifest import Level, Loss
from reranker.network import CrossEncoder
from reranker.split import SplitNetwork
from reranker.start import start_network
from reranker.state_choice import choose_states
from tests.colour_shop import DAY, SOURCES, queries

NO_LOSS = Loss(0.0, None, None)


def split_network(base: Path, encoder: TextEncoder, seed: int = 1) -> SplitNetwork:
    """Of random weights whose texts speak up, not calibrated."""
    network: CrossEncoder = start_network(base, encoder, [as_example(query, encoder) for query in queries(8)], seed)
    with torch.no_grad():
        network.text.weight.mul_(5)
        network.text_share.fill_(0.5)
    return SplitNetwork.of(network.eval())


def export_split(parent: Path, base: Path, encoder: TextEncoder, seed: int = 1, created_at: float = 0.0) -> Path:
    """The directory of its artifact; another `seed` is another model."""
    network, found = split_network(base, encoder, seed), queries(8)
    states = choose_states(network, encoder, [as_example(query, encoder) for query in found], "test")
    levels = [Level(name, depth, 0.1, NO_LOSS, NO_LOSS) for name, depth in level_depths(network.layers).items()]
    return export_artifact(
        parent,
        network,
        encoder,
        [query.golden(6) for query in found[:3]],
        role="student",
        teacher="20240331-0123456789ab",
        date=DAY,
        created_at=created_at,
        base_model="tiny",
        feature_names=feature_names(SOURCES),
        training={"seed": seed},
        metrics={"validation_ndcg10": float(np.float32(0.25))},
        levels=levels,
        states=states,
    )
