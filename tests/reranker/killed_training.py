"""A training that kills itself with SIGKILL at a given point, for the tests of its checkpoints."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from contract.settings import Training
from jobs.lake import Lake
from jobs.model import teacher
from reranker import checkpoint
from reranker.precision import use_threads
from reranker.steps import Stepper
from tests.colour_shop import DAY
from tests.scenarios import SAMPLE


def run(base: Path, lake: Path, checkpoints: Path, training: Training, out: Path, point: str, at: int) -> None:
    """Fine-tune and write what it came to into `out`, unless killed before.

    `point`: `step` dies once `at` steps are done, `writing` in the middle of the `at`-th checkpoint, "" never.
    """
    use_threads(1)
    assert len(os.listdir(f"/proc/{os.getppid()}/task")) == 1  # a fork of a process with threads may hang
    teacher.START_QUERIES = 8  # so few that the queries come from the files
    if point == "step":
        Stepper.step = _deadly(Stepper.step, at)  # type: ignore[method-assign]
    if point == "writing":
        checkpoint.os.fsync = _deadly(os.fsync, at)  # type: ignore[attr-defined]
    plan = teacher.training_plan(training, seed=3)
    tuned, _ = teacher.fine_tune(base, Lake(str(lake)), DAY, training, SAMPLE, plan, checkpoints)
    found = tuned.trained
    torch.save({"losses": found.losses, "validations": found.validations, "weights": tuned.network.state_dict()}, out)


def _deadly(call: Callable[..., Any], at: int) -> Callable[..., Any]:
    calls = 0

    def dies(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments)

    return dies
