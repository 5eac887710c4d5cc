"""Fine-tuning: the listwise losses, the schedule, and the loop that teacher and student share."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from contract.errors import PacesetterError
from reranker.encoding import TextEncoder
from reranker.examples import Batch, Example, collate, sample_candidates, shuffled_batches
from reranker.network import CrossEncoder, Scores
from reranker.precision import Precision, gradient_scaler, half_type, mixed_precision, pick_device, use_threads

# Without a loss of its own the text score learns nothing: strong features leave it no gradient.
TEXT_LOSS = 0.5
GRADIENT_NORM = 1.0

Loss = Callable[[Scores, Batch], Tensor]


@dataclass(frozen=True)
class TrainingPlan:
    """How to train. `candidates` of a query meet in one softmax; `frozen_layers` counts from the bottom.

    The embeddings stay as they are where `frozen_layers` is at least 0, and are trained where it is -1. `device`
    is cpu, cuda or auto; `threads` are torch's, 0 leaves them.
    """

    epochs: int
    candidates: int
    batch_queries: int
    encoder_rate: float
    head_rate: float
    frozen_layers: int
    seed: int
    device: str = "auto"
    precision: Precision = "auto"
    threads: int = 0
    warm_up: float = 0.1
    weight_decay: float = 0.01


def label_loss(scores: Scores, batch: Batch) -> Tensor:
    """Listwise softmax cross-entropy of both scores; queries without a positive count nothing."""
    return listwise(scores.final, batch.labels) + TEXT_LOSS * listwise(scores.text, batch.labels)


def listwise(grid: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy between the labels' share and softmax over each query's candidates (ListNet, Cao et al. 2007)."""
    share = labels / labels.sum(1, keepdim=True).clamp(min=1.0)
    known = (labels.sum(1) > 0).sum().clamp(min=1)
    return -(share * F.log_softmax(grid, 1)).sum() / known


def train(
    network: CrossEncoder,
    examples: Sequence[Example],
    encoder: TextEncoder,
    loss: Loss,
    plan: TrainingPlan,
    label: str,
) -> list[float]:
    """Train `network` in place; returns the loss of every step. The same seed and threads give the same weights.

    AdamW with a linear warm-up and decay, in mixed precision. Raises PacesetterError when the loss is no
    finite number: the network is then of no use.
    """
    use_threads(plan.threads)
    device = pick_device(plan.device)
    half = half_type(device, plan.precision)
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    steps = plan.epochs * -(-len(examples) // plan.batch_queries)
    losses: list[float] = []
    network.to(device).train()
    with _frozen(network, plan.frozen_layers):
        optimizer = torch.optim.AdamW(_groups(network, plan), fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_share(step, steps, plan.warm_up))
        scaler = gradient_scaler(device, half)
        with tqdm(total=steps, desc=label, unit="step", mininterval=1.0) as progress:
            for chosen in _epochs(examples, plan, random):
                batch = collate(chosen, encoder, device)
                with mixed_precision(device, half):
                    scores = network(batch.pairs, batch.features)
                value = loss(batch.grids(scores), batch)
                losses.append(float(value.detach()))
                if not np.isfinite(losses[-1]):
                    raise PacesetterError(
                        f"{label}: the loss became {losses[-1]} at step {len(losses)} of {steps}: lower "
                        "PACE_TRAINING__ENCODER_RATE, or look for absurd values in the training pairs"
                    )
                scaler.scale(value).backward()
                scaler.unscale_(optimizer)
                torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
                scaler.step(optimizer)
                scaler.update()
                schedule.step()
                optimizer.zero_grad(set_to_none=True)
                progress.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}", refresh=False)
                progress.update()
    network.eval()
    return losses


def rate_share(step: int, steps: int, warm_up: float) -> float:
    """The learning rate of a step as a share of the highest: linear up, then linear down to 0 after the last."""
    rising = max(1, round(steps * warm_up))
    return (step + 1) / rising if step < rising else max(0.0, (steps - step) / max(1, steps - rising))


def score_examples(
    network: CrossEncoder, examples: Sequence[Example], encoder: TextEncoder, plan: TrainingPlan, label: str
) -> list[NDArray[np.float32]]:
    """float32[n, 2] an example: final and text score, without gradients and in the plan's precision."""
    use_threads(plan.threads)
    device = pick_device(plan.device)
    half = half_type(device, plan.precision)
    network.to(device).eval()
    out = []
    with torch.inference_mode():
        for example in tqdm(examples, desc=label, unit="query", mininterval=1.0):
            if not example.items:
                out.append(np.zeros((0, 2), np.float32))
                continue
            batch = collate([example], encoder, device)
            with mixed_precision(device, half):
                scores = network(batch.pairs, batch.features)
            out.append(torch.stack((scores.final, scores.text), 1).float().cpu().numpy())
    return out


def _epochs(
    examples: Sequence[Example], plan: TrainingPlan, random: np.random.Generator
) -> Iterator[Sequence[Example]]:
    for _ in range(plan.epochs):
        drawn = [sample_candidates(example, plan.candidates, random) for example in examples]
        yield from shuffled_batches(drawn, plan.batch_queries, random)


def _groups(network: CrossEncoder, plan: TrainingPlan) -> list[dict[str, object]]:
    """Weights of the encoder decay, its biases and norms and the head don't."""
    trained = [(name, weight) for name, weight in network.named_parameters() if weight.requires_grad]
    of_encoder = [(name, weight) for name, weight in trained if name.startswith("encoder.")]
    head = [weight for name, weight in trained if not name.startswith("encoder.")]
    return [
        {
            "params": [weight for _, weight in of_encoder if weight.ndim > 1],
            "lr": plan.encoder_rate,
            "weight_decay": plan.weight_decay,
        },
        {
            "params": [weight for _, weight in of_encoder if weight.ndim <= 1],
            "lr": plan.encoder_rate,
            "weight_decay": 0.0,
        },
        {"params": head, "lr": plan.head_rate, "weight_decay": 0.0},
    ]


@contextmanager
def _frozen(network: CrossEncoder, layers: int) -> Iterator[None]:
    """Within, the embeddings and the lowest `layers` get no gradient; all do where `layers` is negative."""
    fixed = [] if layers < 0 else [network.encoder.embeddings, *network.encoder.encoder.layer[:layers]]
    for part in fixed:
        part.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
