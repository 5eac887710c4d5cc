"""The number format a network is served in: the fastest one on this machine that scores as float32 does."""

import copy
import logging
from collections.abc import Callable, Sequence

import torch

from reranker.golden import CORRELATION, Answers, correlation
from reranker.network import CrossEncoder

log = logging.getLogger(__name__)


def admitted_type(
    kinds: Sequence[torch.dtype], exact: Answers, answer: Callable[[torch.dtype], Answers], model: str
) -> torch.dtype | None:
    """The first of `kinds` in which `answer` correlates with the `exact` answers in float32 by CORRELATION at least.

    None, for float32, where there is none. Every verdict is in the log, under the name `model`.
    """
    for kind in kinds:
        agreement = correlation(exact, answer(kind))
        if agreement >= CORRELATION:
            log.info("model %s: the encoder computes in %s, correlation with float32 %.5f", model, kind, agreement)
            return kind
        log.warning("model %s: %s refused, correlation with float32 %.5f below %s", model, kind, agreement, CORRELATION)
    log.info("model %s: the encoder computes in float32", model)
    return None


def with_encoder_in(network: CrossEncoder, kind: torch.dtype | None) -> CrossEncoder:
    """A copy whose encoder is in `kind`; its head stays in float32. The network itself for None."""
    if kind is None:
        return network
    converted = copy.deepcopy(network)
    converted.encoder.to(kind)
    return converted
