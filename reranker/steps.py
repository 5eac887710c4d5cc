"""One step of training: the gradients of its queries, in parts that fit the memory, and the change they make."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from contract.errors import BadInput
from reranker.encoding import TextEncoder
from reranker.examples import Batch, Example, collate
from reranker.network import CrossEncoder, Scores
from reranker.parallel import Ranks
from reranker.plan import TrainingPlan
from reranker.precision import gradient_scaler, mixed_precision
from reranker.throughput import Throughput, training_flops

log = logging.getLogger(__name__)

GRADIENT_NORM = 1.0

# The mean over the queries of a batch that count (`Example.counts`).
Loss = Callable[[Scores, Batch], Tensor]


class Stepper:
    """AdamW with a linear warm-up and decay, in mixed precision, over `steps` steps.

    `done` is what it has done so far, `counted` how many queries that counted it has seen.
    """

    def __init__(
        self,
        network: CrossEncoder,
        encoder: TextEncoder,
        loss: Loss,
        plan: TrainingPlan,
        steps: int,
        device: torch.device,
        half: torch.dtype | None,
        ranks: Ranks,
    ) -> None:
        self._network, self._encoder, self._loss, self._plan = network, encoder, loss, plan
        self.device, self._half, self._ranks = device, half, ranks
        self._optimizer = torch.optim.AdamW(_groups(network, plan), fused=True)
        self._highest, self._steps, self._taken = [group["lr"] for group in self._optimizer.param_groups], steps, 0
        self._scaler = gradient_scaler(device, half)
        self._part = plan.batch_queries
        self.done = Throughput()
        self.counted = 0

    def step(self, mine: Sequence[Example]) -> float:
        """Learn from the examples of a step, of which `mine` are this process's.

        Returns the mean loss of those that count; where there is none it is 0, and the weights stay as they are.
        Raises BadInput where a single query does not fit the memory.
        """
        counting = int(self._ranks.total(sum(example.counts for example in mine), self.device))
        value = self._ranks.total(self._gradients(mine, max(counting, 1)), self.device)
        if counting and np.isfinite(value):
            share = rate_share(self._taken, self._steps, self._plan.warm_up)
            for group, highest in zip(self._optimizer.param_groups, self._highest, strict=True):
                group["lr"] = highest * share
            self._ranks.add_gradients(self._network.parameters())
            self._scaler.unscale_(self._optimizer)
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), GRADIENT_NORM)
            self._scaler.step(self._optimizer)
            self._scaler.update()
        self._taken += 1
        self._optimizer.zero_grad(set_to_none=True)
        self.counted += counting
        return value

    def state(self) -> dict[str, Any]:
        """All that the next step depends on besides the network and the examples."""
        return {
            "optimizer": self._optimizer.state_dict(),
            "taken": self._taken,
            "scaler": self._scaler.state_dict(),
            "half": str(self._half).removeprefix("torch.") if self._half else "",
            "part": self._part,
            "counted": self.counted,
            "done": vars(self.done).copy(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._optimizer.load_state_dict(state["optimizer"])
        self._taken = state["taken"]
        self._scaler.load_state_dict(state["scaler"])
        self._part, self.counted = state["part"], state["counted"]
        self.done = Throughput(**state["done"])

    def speed(self) -> dict[str, float]:
        """What a manifest says of it; of all processes together."""
        self.done.pairs = int(self._ranks.total(self.done.pairs, self.device))
        self.done.flops = self._ranks.total(self.done.flops, self.device)
        return self.done.metrics(self.device, self._half, self._ranks.size)

    def _gradients(self, mine: Sequence[Example], counting: int) -> float:
        """Add up the gradients of `mine`, a part at a time; parts are halved as long as they do not fit the memory."""
        while True:
            try:
                return sum(
                    self._backward(mine[start : start + self._part], counting)
                    for start in range(0, len(mine), self._part)
                )
            except torch.cuda.OutOfMemoryError as error:
                reason = str(error).partition("\n")[0]
            # Outside the handler: there the exception still held the activations.
            self._optimizer.zero_grad(set_to_none=True)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            if self._part == 1:
                raise BadInput(
                    f"the {self.device} has no memory for one query of {self._plan.candidates} candidates ({reason}): "
                    "lower PACE_TRAINING__LIST_CANDIDATES, PACE_TRAINING__QUERY_TOKENS or PACE_TRAINING__ITEM_TOKENS, "
                    "or raise PACE_TRAINING__FROZEN_LAYERS"
                )
            self._part = -(-self._part // 2)
            log.warning("out of memory (%s): a step goes on in parts of %d queries", reason, self._part)

    def _backward(self, part: Sequence[Example], counting: int) -> float:
        """The part's share of the mean loss, its gradients added."""
        batch = collate(part, self._encoder, self.device)
        with mixed_precision(self.device, self._half):
            scores = self._network(batch.pairs, batch.features)
        share = sum(example.counts for example in part) / counting
        value = self._loss(batch.grids(scores), batch) * share
        self._scaler.scale(value).backward()
        tokens = np.array([len(example.query) + len(item) + 4 for example in part for item in example.items])
        self.done.pairs += len(tokens)
        self.done.flops += training_flops(self._network, max(self._plan.frozen_layers, 0), tokens)
        return float(value.detach())


def rate_share(step: int, steps: int, warm_up: float) -> float:
    """The learning rate of a step as a share of the highest: linear up, then linear down to 0 after the last."""
    rising = max(1, round(steps * warm_up))
    return (step + 1) / rising if step < rising else max(0.0, (steps - step) / max(1, steps - rising))


@contextmanager
def frozen(network: CrossEncoder, layers: int) -> Iterator[None]:
    """Within, the embeddings and the lowest `layers` get no gradient; all do where `layers` is negative."""
    fixed = [] if layers < 0 else [network.encoder.embeddings, *network.encoder.encoder.layer[:layers]]
    for part in fixed:
        part.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


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
