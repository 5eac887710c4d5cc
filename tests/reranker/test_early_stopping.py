from pathlib import Path

import pytest
import torch

from jobs.model.dataset import as_example
from reranker.encoding import TextEncoder
from reranker.examples import Example
from reranker.network import CrossEncoder
from reranker.start import start_network
from reranker.training import Trained, TrainingPlan, label_loss, train
from tests.colour_shop import queries

PLAN = TrainingPlan(
    3, 6, 4, 1e-3, 3e-3, 0, seed=5, device="cpu", precision="float32", threads=1, validate_steps=2, patience=2
)


@pytest.fixture(scope="module")
def examples(encoder: TextEncoder) -> list[Example]:
    return [as_example(query, encoder) for query in queries(16)]


class Told:
    """Validates by a list of values, and remembers the weights that it saw."""

    def __init__(self, *values: float) -> None:
        self.values, self.seen = list(values), []

    def __call__(self, network: CrossEncoder) -> float:
        assert not network.training
        self.seen.append(network.linear.weight.detach().clone())
        return self.values[len(self.seen) - 1]


def run(base: Path, encoder: TextEncoder, examples: list[Example], told: Told) -> tuple[Trained, torch.Tensor]:
    network = start_network(base, encoder, examples, seed=5)
    found = train(network, examples, encoder, label_loss, PLAN, "test", told)
    return found, network.linear.weight


def test_training_ends_after_so_many_validations_without_a_gain_and_keeps_the_best_weights(
    base: Path, encoder: TextEncoder, examples: list[Example]
) -> None:
    told = Told(0.0, 0.1, 0.3, 0.2, 0.3)  # as good as the best is no gain
    found, weights = run(base, encoder, examples, told)
    assert found.validations == [(0, 0.0), (2, 0.1), (4, 0.3), (6, 0.2), (8, 0.3)]
    assert len(found.losses) == 8
    assert torch.equal(weights, told.seen[2])
    assert found.best_validation == (4, 0.3)


def test_training_that_gains_goes_on_to_its_end_which_is_validated_too(
    base: Path, encoder: TextEncoder, examples: list[Example]
) -> None:
    told = Told(*(0.1 * n for n in range(7)))
    found, weights = run(base, encoder, examples, told)
    assert [step for step, _ in found.validations] == [0, 2, 4, 6, 8, 10, 12]
    assert torch.equal(weights, told.seen[-1])


def test_training_that_never_beats_its_start_leaves_it(
    base: Path, encoder: TextEncoder, examples: list[Example]
) -> None:
    told = Told(0.9, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1)
    found, weights = run(base, encoder, examples, told)
    assert found.best_validation == (0, 0.9)
    assert torch.equal(weights, told.seen[0])
