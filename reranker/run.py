"""A training run: its steps in order, its validations, and the state from which a killed one goes on."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from contract.errors import BadInput, PacesetterError
from reranker.batches import Source, ahead, epoch_batches
from reranker.checkpoint import Checkpoint
from reranker.network import CrossEncoder
from reranker.parallel import Ranks
from reranker.plan import TrainingPlan
from reranker.steps import Stepper

# What a validation measures of a network in evaluation mode; higher is better.
Validate = Callable[[CrossEncoder], float]


@dataclass
class Trained:
    """What training came to: the loss of every step, the value of every validation with the steps before it, and how
    fast it was. `best` holds the weights at the best validation, on the CPU.
    """

    losses: list[float] = field(default_factory=list)
    validations: list[tuple[int, float]] = field(default_factory=list)
    speed: dict[str, float] = field(default_factory=dict)
    best: dict[str, Tensor] = field(default_factory=dict)

    @property
    def best_validation(self) -> tuple[int, float]:
        """(steps, value); the first of equals."""
        return max(self.validations, key=lambda found: found[1])

    def stale(self) -> int:
        """Validations since the best one."""
        return len(self.validations) - 1 - self.validations.index(self.best_validation) if self.validations else 0


class Run:
    """Trains `network` by `stepper` over `source`, once."""

    def __init__(
        self,
        network: CrossEncoder,
        source: Source,
        plan: TrainingPlan,
        stepper: Stepper,
        label: str,
        validate: Validate | None,
        checkpoint: Checkpoint | None,
        ranks: Ranks,
    ) -> None:
        self._network, self._source, self._plan, self._stepper = network, source, plan, stepper
        self._label, self._validate, self._checkpoint, self._ranks = label, validate, checkpoint, ranks
        self._of_epoch = steps_of_epoch(source, plan, ranks)
        self._steps = plan.epochs * self._of_epoch
        self._found = Trained()

    def go(self, state: dict[str, Any] | None) -> Trained:
        """Every step from `state` on, or from the first; the network then has the weights that validated best."""
        if state:
            self._restore(state)
        elif self._validate and 0 < self._plan.validate_steps <= self._steps:
            self._measure(0)  # what training does not improve on is kept
        found = self._found
        with tqdm(
            total=self._steps, initial=len(found.losses), desc=self._label, unit="step", mininterval=1.0
        ) as progress:
            while not self._finished():
                self._epoch(progress)
        if found.best:
            self._network.load_state_dict(found.best)
        return found

    def _epoch(self, progress: Any) -> None:
        epoch, skip = divmod(len(self._found.losses), self._of_epoch)
        queries = self._plan.batch_queries * self._plan.accumulate * self._ranks.size
        share = self._ranks.rank, self._ranks.size
        batches = epoch_batches(self._source, queries, self._plan.candidates, self._plan.seed, epoch, skip, share)
        # On a CPU a thread for it takes from the step what it gives: 36.8 s with it, 36.2 s without (400 queries).
        if self._stepper.device.type != "cpu":
            batches = ahead(batches)
        started = time.perf_counter()
        for mine in batches:
            loss = self._stepper.step(mine)
            self._stepper.done.seconds += time.perf_counter() - started
            self._found.losses.append(loss)
            if not np.isfinite(loss):
                raise PacesetterError(
                    f"{self._label}: the loss became {loss} at step {len(self._found.losses)} of {self._steps}: lower "
                    "PACE_TRAINING__ENCODER_RATE and PACE_TRAINING__HEAD_RATE, or look for absurd values in the "
                    "training pairs and in the base model's weights"
                )
            progress.set_postfix(loss=f"{np.mean(self._found.losses[-20:]):.3f}", refresh=False)
            progress.update()
            self._after_step(len(self._found.losses))
            if self._finished():
                break
            started = time.perf_counter()
        if not self._stepper.counted:
            raise BadInput(
                f"{self._label}: no query of the epoch has a positive among its candidates: there is nothing to learn "
                "from; import more events, or raise PACE_TRAINING__CANDIDATES"
            )

    def _after_step(self, step: int) -> None:
        every = self._plan.validate_steps
        if self._validate and every and (step % every == 0 or (step == self._steps and self._found.validations)):
            self._measure(step)
        if self._checkpoint and self._checkpoint.due(step) and self._ranks.rank == 0:
            self._checkpoint.save(self._state())

    def _measure(self, step: int) -> None:
        """The first process validates; all learn what it found, so that all stop at the same step."""
        assert self._validate is not None
        self._network.eval()
        value = self._validate(self._network) if self._ranks.rank == 0 else 0.0
        self._network.train()
        self._found.validations.append((step, self._ranks.of_first(value, self._stepper.device)))
        if self._found.stale() == 0:
            self._found.best = {name: weight.cpu().clone() for name, weight in self._network.state_dict().items()}

    def _finished(self) -> bool:
        ended = len(self._found.losses) >= self._steps
        return ended or (self._plan.validate_steps > 0 and self._found.stale() >= self._plan.patience)

    def _state(self) -> dict[str, Any]:
        return {
            "network": self._network.state_dict(),
            "stepper": self._stepper.state(),
            "losses": self._found.losses,
            "validations": self._found.validations,
            "best": self._found.best,
            # Draws of queries and candidates come from seed, epoch and place (reranker.batches): no state of theirs.
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self._network.load_state_dict(state["network"])
        self._stepper.restore(state["stepper"])
        self._found.losses = state["losses"]
        self._found.validations = state["validations"]
        self._found.best = state["best"]
        torch.set_rng_state(state["random"])
        if state["random_cuda"] and torch.cuda.device_count() == len(state["random_cuda"]):
            torch.cuda.set_rng_state_all(state["random_cuda"])


def steps_of_epoch(source: Source, plan: TrainingPlan, ranks: Ranks) -> int:
    """Steps that go once over `source`; the last may be of fewer queries."""
    return -(-len(source) // (plan.batch_queries * plan.accumulate * ranks.size))
