from pathlib import Path

import pytest

from contract.errors import BadInput, PacesetterError
from reranker.parallel import in_processes
from reranker.training import TrainingPlan
from tests.reranker import two_processes

PLAN = TrainingPlan(
    2, 6, 8, 1e-3, 3e-3, 0, seed=5, device="cpu", precision="float32", threads=1, validate_steps=3, patience=9
)


def test_two_processes_learn_what_one_does_from_batches_of_twice_the_size(base: Path) -> None:
    """23 queries: a step of four and three, and each query counts the same."""
    half = TrainingPlan(**{**vars(PLAN), "batch_queries": 4})
    losses, validations, weights = two_processes.trained(base, PLAN, 23)
    both, same, alike = in_processes(2, False, two_processes.trained, base, half, 23)
    assert len(losses) == 6
    assert both == pytest.approx(losses, abs=1e-4)
    assert same == validations == [(0, 1.0), (3, 2.0), (6, 3.0)]
    # Adam makes a step of full size out of a gradient that is nothing but rounding: single weights may differ.
    assert float((weights - alike).abs().mean()) < 1e-6


def test_gradients_are_summed_and_one_that_is_missing_is_zero() -> None:
    """Their size matters to the clipping; Adam would hide a wrong one."""
    assert in_processes(2, False, two_processes.summed) == [[3.0, 6.0], [5.0]]


def test_what_one_process_refuses_is_raised_with_its_words() -> None:
    with pytest.raises(BadInput, match="query q7: no number"):
        in_processes(2, False, two_processes.refused)


def test_a_process_that_is_killed_ends_the_others() -> None:
    with pytest.raises(PacesetterError, match="a training process died; the checkpoint is kept"):
        in_processes(2, False, two_processes.killed)


def test_more_processes_than_gpus_are_refused() -> None:
    with pytest.raises(PacesetterError, match=r"processes want a GPU each, but there are .* lower PACE_TRAINING__PROC"):
        in_processes(99, True, two_processes.refused)
