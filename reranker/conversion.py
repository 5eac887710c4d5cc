"""The number format a network is served in: the fastest one on this machine that scores as float32 does."""

import copy
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from reranker.examples import Batch
from reranker.golden import CORRELATION, Answers, correlation
from reranker.layer_timing import faster_types, speedup
from reranker.network import CrossEncoder

log = logging.getLogger(__name__)


class Speed(NamedTuple):
    """How many times as fast as its teacher in float32 a student is, its encoder in the format `kind`."""

    speedup: float
    kind: str


def served_speed(teacher: CrossEncoder, student: CrossEncoder, batch: Batch, model: str) -> Speed:
    """The student's speed on `batch`, in the format that a loader would take here. `teacher` is in float32."""
    device = batch.features.device
    kind = admitted_type(
        faster_types(student.encoder.encoder.layer[0], device),
        [_answers(student, batch)],
        lambda one: [_answers(with_encoder_in(student, one), batch)],
        model,
    )
    gained = speedup(teacher, with_encoder_in(student, kind), batch.pairs, batch.features)
    return Speed(gained, str(kind or torch.float32).removeprefix("torch."))


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


def _answers(network: CrossEncoder, batch: Batch) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    with torch.inference_mode():
        scores = network(batch.pairs, batch.features)
    return scores.final.cpu().numpy(), scores.text.cpu().numpy()
