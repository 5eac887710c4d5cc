"""Fewer layers, then recovery by distillation: the student keeps evenly spaced layers of its teacher."""

import copy
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from contract.errors import BadInput
from reranker.encoding import TextEncoder
from reranker.examples import Batch, Example, sample_candidates
from reranker.network import CrossEncoder, Scores
from reranker.training import TEXT_LOSS, TrainingPlan, label_loss, score_examples, train

LABEL_LOSS = 0.5


def kept_layers(layers: int, keep: int) -> list[int]:
    """Which of `layers` stay: evenly spaced, the first and the last among them (6 to 3: 0, 2, 5).

    Raises BadInput unless 1 <= keep <= layers.
    """
    if not 1 <= keep <= layers:
        raise BadInput(f"student of {keep} layers: the teacher has {layers}; set PACE_TRAINING__STUDENT_LAYERS")
    if keep == 1:
        return [0]
    return [place * (layers - 1) // (keep - 1) for place in range(keep)]


def prune_layers(teacher: CrossEncoder, keep: int) -> CrossEncoder:
    """A copy of `teacher` with `keep` of its layers and its whole head; the teacher stays as it is."""
    chosen = kept_layers(teacher.layers, keep)
    student = copy.deepcopy(teacher)
    student.encoder.encoder.layer = nn.ModuleList(student.encoder.encoder.layer[place] for place in chosen)
    student.encoder.config.num_hidden_layers = keep
    return student


def distil(
    teacher: CrossEncoder, keep: int, examples: Sequence[Example], encoder: TextEncoder, plan: TrainingPlan
) -> tuple[CrossEncoder, dict[str, float]]:
    """A student of `keep` layers, distilled on lists drawn from `examples`; and its loss at first and at last.

    Raises BadInput where the teacher has fewer layers.
    """
    random = np.random.default_rng(plan.seed + 1)
    drawn = [sample_candidates(example, plan.candidates, random) for example in examples]
    drawn = with_teacher(drawn, score_examples(teacher, drawn, encoder, plan, "teacher's scores"))
    student = prune_layers(teacher, keep)
    losses = train(student, drawn, encoder, distillation_loss, plan, "student").losses
    return student, {"loss_first": losses[0], "loss": float(np.mean(losses[-20:]))}


def with_teacher(examples: Sequence[Example], scores: Sequence[NDArray[np.float32]]) -> list[Example]:
    """The examples with a teacher's scores, float32[n, 2] each (reranker.training.score_examples)."""
    return [replace(example, teacher=found) for example, found in zip(examples, scores, strict=True)]


def distillation_loss(scores: Scores, batch: Batch) -> Tensor:
    """Listwise KL from the teacher's final and text scores, plus the label loss."""
    if batch.teacher is None:
        raise ValueError("distillation needs examples with a teacher's scores")
    known = batch.teacher.masked_fill(~batch.slots[..., None], torch.finfo(torch.float32).min)
    return (
        divergence(scores.final, known[..., 0])
        + TEXT_LOSS * divergence(scores.text, known[..., 1])
        + LABEL_LOSS * label_loss(scores, batch)
    )


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(teacher || student) of the softmax over each query's candidates, averaged over the queries."""
    known = F.log_softmax(teacher, 1)
    return F.kl_div(F.log_softmax(student, 1), known, reduction="batchmean", log_target=True)
