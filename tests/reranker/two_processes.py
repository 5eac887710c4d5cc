"""What the tests of reranker.parallel run in processes of their own."""

import os
import signal
from itertools import count as count_up
from pathlib import Path

import torch

from contract.errors import BadInput
from reranker.encoding import base_text_encoder
from reranker.parallel import current_ranks
from reranker.start import start_network
from reranker.training import TrainingPlan, label_loss, train


def trained(base: Path, plan: TrainingPlan, count: int) -> tuple[list[float], list[tuple[int, float]], torch.Tensor]:
    """Losses, validations and all weights in a row."""
    from jobs.model.dataset import as_example
    from tests.colour_shop import queries
    from tests.scenarios import SAMPLE

    encoder = base_text_encoder(base, 20, 8, SAMPLE.text)
    examples = [as_example(query, encoder) for query in queries(count)]
    network = start_network(base, encoder, examples, seed=5)
    # It always gains, so that the last weights are kept; only the first process's word counts.
    told = count_up(1.0)
    found = train(network, examples, encoder, label_loss, plan, "test", lambda _: next(told) - current_ranks().rank)
    return found.losses, found.validations, torch.cat([weight.flatten() for weight in network.state_dict().values()])


def summed() -> list[list[float]]:
    """The gradients of two weights of which the second process has one alone."""
    ranks = current_ranks()
    one, other = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(1))
    one.grad = torch.tensor([1.0, 2.0]) * (1 + ranks.rank)
    if ranks.rank == 1:
        other.grad = torch.tensor([5.0])
    ranks.add_gradients([one, other])
    return [weight.grad.tolist() for weight in (one, other)]


def refused() -> None:
    if current_ranks().rank == 1:
        raise BadInput("query q7: no number")
    current_ranks().total(1.0, torch.device("cpu"))


def killed() -> None:
    if current_ranks().rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    current_ranks().total(1.0, torch.device("cpu"))
