"""How a network's item states are stored: in int8 where that leaves the scores as they are."""

import logging
from collections.abc import Sequence

import torch

from contract.errors import BadInput
from reranker.depth import level_depths
from reranker.encoding import TextEncoder
from reranker.examples import Example
from reranker.golden import CORRELATION, Answers, correlation
from reranker.limits import Limits
from reranker.manifest import ItemStates
from reranker.prepared import PairScores, PreparedQuery
from reranker.split import SplitNetwork
from reranker.split_scoring import SplitScorer
from reranker.states import StateCodec, StateKind, calibrate

log = logging.getLogger(__name__)

# Every query is read each time.
UNREMEMBERED = Limits(known_queries=0)


def choose_states(network: SplitNetwork, encoder: TextEncoder, examples: Sequence[Example], model: str) -> ItemStates:
    """Calibrate `network` on the items of `examples`, and judge int8 by its scores of them.

    int8 takes half the memory of float16. It is taken where both scores correlate, at every level, with those from
    float16 states by golden.CORRELATION at least. `network` is in float32. Raises BadInput where there is no item.
    """
    texts = list(dict.fromkeys(text for example in examples for text in example.items))
    if not texts:
        raise BadInput(f"model {model}: no candidate of the training queries has a record: nothing to calibrate on")
    calibrate(network, encoder, texts)
    device = network.state_scale.device
    exact, coarse = (answers(network, encoder, kind, examples, device) for kind in ("float16", "int8"))
    lowest = min(correlation(exact[level], coarse[level]) for level in exact)
    kind: StateKind = "int8" if lowest >= CORRELATION else "float16"
    log.info("model %s: item states in %s, scores from int8 correlate by %.5f", model, kind, lowest)
    codec = StateCodec(network, kind)
    return ItemStates(kind, codec.depths, codec.width, lowest)


def answers(
    network: SplitNetwork,
    encoder: TextEncoder,
    kind: StateKind,
    examples: Sequence[Example],
    device: torch.device,
) -> dict[str, Answers]:
    """Final and text scores of `examples` at each level, from states stored as `kind`."""
    levels = level_depths(network.layers)
    scorer = SplitScorer(network.eval(), encoder, kind, levels, device, UNREMEMBERED)
    found: dict[str, list[PairScores]] = {level: [] for level in levels}
    with torch.inference_mode():
        for example in examples:
            for level in levels:
                found[level] += scorer.scores([PreparedQuery(example.query, example.items, example.features)], level)
    return found  # type: ignore[return-value]
