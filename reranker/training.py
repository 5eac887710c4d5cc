"""Fine-tuning: the listwise losses, and the training that teacher and student share."""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from reranker.batches import InMemory, Source
from reranker.checkpoint import Checkpoint
from reranker.encoding import TextEncoder
from reranker.examples import Batch, Example, collate
from reranker.network import CrossEncoder, Scores
from reranker.parallel import Ranks, current_ranks
from reranker.plan import TrainingPlan
from reranker.precision import half_type, mixed_precision, pick_device, use_threads
from reranker.run import Run, Trained, Validate, steps_of_epoch
from reranker.steps import Loss, Stepper, frozen

__all__ = ["Trained", "TrainingPlan", "label_loss", "listwise", "score_examples", "train"]

log = logging.getLogger(__name__)

# Without a loss of its own the text score learns nothing: strong features leave it no gradient.
TEXT_LOSS = 0.5


def label_loss(scores: Scores, batch: Batch, text_loss: float = TEXT_LOSS) -> Tensor:
    """Listwise softmax cross-entropy of both scores; queries without a positive count nothing."""
    return listwise(scores.final, batch.labels) + text_loss * listwise(scores.text, batch.labels)


def listwise(grid: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy between the labels' share and softmax over each query's candidates (ListNet, Cao et al. 2007)."""
    share = labels / labels.sum(1, keepdim=True).clamp(min=1.0)
    known = (labels.sum(1) > 0).sum().clamp(min=1)
    return -(share * F.log_softmax(grid, 1)).sum() / known


def train(
    network: CrossEncoder,
    examples: Sequence[Example] | Source,
    encoder: TextEncoder,
    loss: Loss,
    plan: TrainingPlan,
    label: str,
    validate: Validate | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train `network` in place. The same seed, threads and machine give the same weights, killed and resumed or not.

    `loss` is the mean over the queries of a batch that count (Example.counts). Where it validates, the weights that
    were best then are kept. In a group of processes (reranker.parallel) each calls it alike, and all end with the same
    weights. Raises PacesetterError when the loss is no finite number (the network is then of no use), BadInput where
    an epoch holds nothing to learn from, or where a single query does not fit the memory.
    """
    ranks = current_ranks()
    use_threads(plan.threads or _own_threads(ranks))
    device = pick_device(plan.device)
    state = checkpoint.load() if checkpoint else None
    # What is measured to be faster may differ from one minute to the next: a run goes on in the format it began in.
    half = _format(state["stepper"]["half"]) if state else half_type(device, plan.precision)
    source = InMemory(examples) if isinstance(examples, Sequence) else examples
    torch.manual_seed(plan.seed)
    network.to(device).train()
    steps = plan.epochs * steps_of_epoch(source, plan, ranks)
    with frozen(network, plan.frozen_layers):
        stepper = Stepper(network, encoder, loss, plan, steps, device, half, ranks)
        found = Run(network, source, plan, stepper, label, validate, checkpoint, ranks).go(state)
    network.eval()
    found.speed = stepper.speed()
    return found


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


def _own_threads(ranks: Ranks) -> int:
    """This process's share of the cores; 0, torch's own choice, where it is alone."""
    return 0 if ranks.size == 1 else max(1, torch.get_num_threads() // ranks.size)


def _format(name: str) -> torch.dtype | None:
    return getattr(torch, name) if name else None
