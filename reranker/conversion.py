"""The number format a network is served in: the fastest one on this machine that scores as float32 does."""

import copy
import logging
from collections.abc import Callable, Sequence

import torch

from reranker.golden import CORRELATION, TOLERANCE_FLOAT32, TOLERANCE_HALF, Answers, correlation, difference
from reranker.network import CrossEncoder

log = logging.getLogger(__name__)

# Exact answers may be this far from the golden ones themselves.
LARGEST_DIFFERENCE = TOLERANCE_HALF - TOLERANCE_FLOAT32


def admitted_type(
    kinds: Sequence[torch.dtype], exact: Answers, answer: Callable[[torch.dtype], Answers], model: str
) -> torch.dtype | None:
    """The first of `kinds` in which `answer` correlates with the `exact` answers in float32 by CORRELATION at least,
    and is so near to them that golden pairs will be, too.

    None, for float32, where there is none. Every verdict is in the log, under the name `model`.
    """
    for kind in kinds:
        found = answer(kind)
        agreement, apart = correlation(exact, found), difference(exact, found)
        told = f"correlation with float32 {agreement:.5f}, {apart:.4f} of the spread apart"
        if agreement >= CORRELATION and apart <= LARGEST_DIFFERENCE:
            log.info("model %s: the encoder computes in %s, %s", model, kind, told)
            return kind
        log.warning(
            "model %s: %s refused, %s; %s and %s are wanted", model, kind, told, CORRELATION, LARGEST_DIFFERENCE
        )
    log.info("model %s: the encoder computes in float32", model)
    return None


def with_encoder_in(network: CrossEncoder, kind: torch.dtype | None) -> CrossEncoder:
    """A copy whose encoder is in `kind`; its head stays in float32. The network itself for None."""
    if kind is None:
        return network
    converted = copy.deepcopy(network)
    converted.encoder.to(kind)
    return converted
