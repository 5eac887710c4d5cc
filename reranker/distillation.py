"""Recovery of a pruned network: it learns to score as its teacher does, and to see what its teacher's head saw."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from reranker.encoding import TextEncoder
from reranker.examples import Batch, Example, collate, sample_candidates
from reranker.network import CrossEncoder, Scores
from reranker.precision import half_type, mixed_precision, pick_device, use_threads
from reranker.steps import Loss
from reranker.training import TEXT_LOSS, TrainingPlan, label_loss, train

LABEL_LOSS = 0.5


def taught(
    teacher: CrossEncoder, examples: Sequence[Example], encoder: TextEncoder, plan: TrainingPlan
) -> list[Example]:
    """Lists drawn from `examples` with what the teacher says of them and the [CLS] it says it by, computed once.

    The states take 2 * hidden bytes a pair (0.8 kB for 384).
    """
    use_threads(plan.threads)
    device = pick_device(plan.device)
    half = half_type(device, plan.precision)
    random = np.random.default_rng(plan.seed + 1)
    teacher.to(device).eval()
    out = []
    with torch.inference_mode():
        for example in tqdm(examples, desc="teacher's scores", unit="query", mininterval=1.0):
            drawn = sample_candidates(example, plan.candidates, random)
            batch = collate([drawn], encoder, device)
            with mixed_precision(device, half):
                cls = teacher.encode(batch.pairs)
            scores = torch.stack(teacher.judge(cls, batch.features), 1)
            out.append(replace(drawn, teacher=scores.cpu().numpy(), states=cls.cpu().to(torch.float16).numpy()))
    return out


def recover(
    student: CrossEncoder,
    examples: Sequence[Example],
    encoder: TextEncoder,
    plan: TrainingPlan,
    state_weight: float,
    label: str = "student",
) -> dict[str, float]:
    """Train a pruned `student` on `taught` examples, in place; returns its loss at first and at last."""
    with matching_states(student, state_weight) as loss:
        losses = train(student, examples, encoder, loss, plan, label).losses
    return {"loss_first": losses[0], "loss": float(np.mean(losses[-20:]))}


def distillation_loss(scores: Scores, batch: Batch) -> Tensor:
    """What recovery minimises: the distance from the teacher's scores, plus the label loss."""
    return teacher_loss(scores, batch) + LABEL_LOSS * label_loss(scores, batch)


def teacher_loss(scores: Scores, batch: Batch) -> Tensor:
    """Listwise KL from the teacher's final and text scores: 0 for a student that scores as its teacher does."""
    if batch.teacher is None:
        raise ValueError("distillation needs examples with a teacher's scores")
    known = batch.teacher + batch.offsets[..., None]
    known = known.masked_fill(~batch.slots[..., None], torch.finfo(torch.float32).min)
    return divergence(scores.final, known[..., 0]) + TEXT_LOSS * divergence(scores.text, known[..., 1])


def divergence(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(teacher || student) of the softmax over each query's candidates, averaged over the queries."""
    known = F.log_softmax(teacher, 1)
    return F.kl_div(F.log_softmax(student, 1), known, reduction="batchmean", log_target=True)


def state_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """The squared distance of [CLS] from the teacher's, as a share of the teacher's variance within the batch."""
    return F.mse_loss(student.float(), teacher) / teacher.var(0).mean().clamp(min=1e-6)


@contextmanager
def matching_states(student: CrossEncoder, weight: float) -> Iterator[Loss]:
    """The distillation loss, with `weight` on the state loss. A hook tells what the head reads: no loop knows of it."""
    if not weight:
        yield distillation_loss
        return
    seen: list[Tensor] = []

    def loss(scores: Scores, batch: Batch) -> Tensor:
        if batch.states is None:
            raise ValueError("matching states needs examples with a teacher's states")
        return distillation_loss(scores, batch) + weight * state_loss(seen[-1], batch.states)

    hook = student.text.register_forward_pre_hook(lambda _, inputs: seen.__setitem__(slice(None), [inputs[0]]))
    try:
        yield loss
    finally:
        hook.remove()
