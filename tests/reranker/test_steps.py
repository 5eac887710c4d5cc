from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from contract.errors import BadInput
from jobs.model.dataset import as_example
from reranker.encoding import TextEncoder
from reranker.examples import Batch, Example, collate
from reranker.network import Scores
from reranker.parallel import Ranks
from reranker.start import start_network
from reranker.steps import Stepper
from reranker.training import Trained, TrainingPlan, label_loss, train
from tests.colour_shop import queries

PLAN = TrainingPlan(1, 6, 8, 1e-3, 3e-3, 0, seed=5, device="cpu", precision="float32", threads=1)


@pytest.fixture(scope="module")
def examples(encoder: TextEncoder) -> list[Example]:
    return [as_example(query, encoder) for query in queries(28)]


@pytest.fixture
def trained(base: Path, encoder: TextEncoder, examples: list[Example]) -> Callable[..., tuple[Trained, torch.Tensor]]:
    """Trains with these changes of PLAN; returns what it came to and all weights in a row."""

    def run(loss: Any = label_loss, **changes: Any) -> tuple[Trained, torch.Tensor]:
        network = start_network(base, encoder, examples, seed=5)
        found = train(network, examples, encoder, loss, TrainingPlan(**{**vars(PLAN), **changes}), "test")
        return found, torch.cat([weight.flatten() for weight in network.state_dict().values()])

    return run


def test_four_small_passes_learn_what_one_large_one_does(trained: Any) -> None:
    """28 queries: the last step has but four, and weighs each of them as one pass would."""
    (once, weights), (parts, same) = trained(), trained(batch_queries=2, accumulate=4)
    assert len(once.losses) == len(parts.losses) == 4
    assert parts.losses == pytest.approx(once.losses, abs=1e-3)
    assert float((weights - same).abs().mean()) < 1e-6


def test_the_schedule_counts_steps_and_not_passes(trained: Any) -> None:
    assert len(trained(batch_queries=4, accumulate=2, epochs=2)[0].losses) == 8


def test_a_restored_stepper_goes_on_with_the_scale_and_the_parts_that_it_had(
    base: Path, encoder: TextEncoder, examples: list[Example]
) -> None:
    plan, cpu = TrainingPlan(**{**vars(PLAN), "precision": "float16"}), torch.device("cpu")
    network = start_network(base, encoder, examples, seed=5)

    def stepper(loss: Any = label_loss) -> Stepper:
        return Stepper(network, encoder, loss, plan, 9, cpu, torch.float16, Ranks())

    before, after = stepper(SmallMemory(queries=4)), stepper()
    before.step(examples[:8])
    state = before.state()
    state["scaler"]["scale"] = 128.0  # as after some overflows
    after.restore(state)
    assert after.state()["scaler"] == state["scaler"]
    assert (after.state()["part"], after.state()["taken"], after.counted, after.done.pairs) == (4, 1, 8, 72)


class SmallMemory:
    """A loss that runs out of memory for more than `queries` at a time, as a GPU would."""

    def __init__(self, queries: int) -> None:
        self.queries, self.refused = queries, 0

    def __call__(self, scores: Scores, batch: Batch) -> torch.Tensor:
        if len(batch.labels) > self.queries:
            self.refused += 1
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return label_loss(scores, batch)


def test_out_of_memory_goes_on_in_smaller_parts_and_learns_the_same(trained: Any) -> None:
    memory = SmallMemory(queries=2)
    (once, weights), (parts, same) = trained(), trained(memory)
    assert memory.refused == 2  # eight, four, and then two for good
    assert parts.losses == pytest.approx(once.losses, abs=1e-3)
    assert float((weights - same).abs().mean()) < 1e-6


def test_a_query_that_does_not_fit_alone_is_refused_with_the_settings_to_lower(trained: Any) -> None:
    with pytest.raises(
        BadInput, match=r"no memory for one query of 6 candidates .*lower PACE_TRAINING__LIST_CANDIDATES"
    ):
        trained(SmallMemory(queries=0))


def without_positives(example: Example) -> Example:
    return Example(example.query, example.items, example.features, np.zeros_like(example.labels))


def test_a_step_without_a_positive_has_no_loss(base: Path, encoder: TextEncoder, examples: list[Example]) -> None:
    few = [examples[0], *map(without_positives, examples[1:4])]
    network = start_network(base, encoder, examples, seed=5)
    found = train(network, few, encoder, label_loss, TrainingPlan(**{**vars(PLAN), "batch_queries": 1}), "test")
    assert sorted(loss > 0 for loss in found.losses) == [False, False, False, True]


def test_an_epoch_without_any_positive_is_refused(base: Path, encoder: TextEncoder, examples: list[Example]) -> None:
    network = start_network(base, encoder, examples, seed=5)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    with pytest.raises(BadInput, match="teacher: no query of the epoch has a positive among its candidates"):
        train(network, [without_positives(one) for one in examples], encoder, label_loss, PLAN, "teacher")
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())


def test_the_weight_of_the_text_loss_counts(encoder: TextEncoder, examples: list[Example]) -> None:
    batch = collate(examples[:2], encoder, torch.device("cpu"))
    grids = batch.grids(Scores(torch.zeros(18), torch.arange(18.0)))
    losses = [float(label_loss(grids, batch, weight)) for weight in (0.0, 0.5, 1.0)]
    assert losses[0] == pytest.approx(np.log(9), abs=1e-5)
    assert losses[2] - losses[0] == pytest.approx(2 * (losses[1] - losses[0]))
    assert losses[1] > losses[0]
