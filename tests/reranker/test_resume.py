"""Killed anywhere, training ends with the losses and weights that it would have had, to the last bit."""

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
import torch

from contract.settings import Training
from reranker.checkpoint import Checkpoint
from tests.colour_shop import write_lake
from tests.reranker.killed_training import run

TRAINING = Training(
    sample_queries=150,
    validation_queries=6,
    query_tokens=20,
    item_tokens=8,
    candidates=9,
    list_candidates=6,
    batch_queries=4,
    accumulate=2,
    frozen_layers=1,
    encoder_rate=1e-3,
    head_rate=3e-3,
    epochs=2,
    device="cpu",
    threads=1,
    precision="float16",  # with a gradient scaler, whose state counts too
    validate_steps=7,
    patience=9,
    checkpoint_steps=5,
    shuffle_queries=64,
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lake(tmp_path_factory.mktemp("killed") / "lake", train=150, validation=6, test=1)


@pytest.fixture(scope="module")
def forks() -> Any:
    """Processes that start at once: forks of a server that has imported what they need, and has no second thread."""
    one_thread = {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.reranker.killed_training"])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in one_thread.items():
            patch.setenv(name, value)
        forkserver.ensure_running()
    return processes


@pytest.fixture(scope="module")
def attempt(base: Path, lake: Path, forks: Any) -> Callable[..., int | None]:
    """Runs a training in a process of its own; returns its exit status, -9 where it was killed."""

    def call(checkpoints: Path, out: Path, training: Training = TRAINING, point: str = "", at: int = 0) -> int | None:
        process = forks.Process(target=run, args=(base, lake, checkpoints, training, out, point, at))
        process.start()
        process.join()
        return process.exitcode

    return call


def test_killed_again_and_again_the_losses_and_weights_are_those_of_a_run_left_alone(
    attempt: Callable[..., int | None], tmp_path: Path
) -> None:
    """38 steps in two epochs; killed before the first checkpoint, while the third is written, and in epoch two."""
    assert attempt(tmp_path / "none", tmp_path / "whole") == 0
    for point, at in (("step", 3), ("writing", 3), ("step", 15)):  # from step 0 on, from 0, and from 10
        assert attempt(tmp_path / "kept", tmp_path / "resumed", TRAINING, point, at) == -signal.SIGKILL
    assert not (tmp_path / "resumed").exists()
    assert attempt(tmp_path / "kept", tmp_path / "resumed") == 0
    whole, resumed = (torch.load(tmp_path / name) for name in ("whole", "resumed"))
    assert len(whole["losses"]) == 38
    assert len(whole["validations"]) == 7
    assert whole["losses"] == resumed["losses"]
    assert whole["validations"] == resumed["validations"]
    assert all(torch.equal(weight, resumed["weights"][name]) for name, weight in whole["weights"].items())


def test_a_changed_setting_starts_anew(attempt: Callable[..., int | None], tmp_path: Path) -> None:
    assert attempt(tmp_path / "kept", tmp_path / "killed", TRAINING, "step", 7) == -signal.SIGKILL
    (checkpoint,) = (tmp_path / "kept").iterdir()
    changed = TRAINING.model_copy(update={"text_loss": 2.0, "epochs": 1})
    assert attempt(tmp_path / "kept", tmp_path / "changed", changed) == 0
    losses = torch.load(tmp_path / "changed")["losses"]
    assert len(losses) == 19
    assert losses[0] > 1.5 * torch.load(checkpoint)["losses"][0]


def test_a_damaged_checkpoint_is_none(tmp_path: Path) -> None:
    checkpoint = Checkpoint.of(tmp_path, 5, "2024-03-31", 17)
    checkpoint.save({"losses": [1.0]})
    assert checkpoint.load() == {"losses": [1.0]}
    checkpoint.file.write_bytes(checkpoint.file.read_bytes()[:-20])
    assert checkpoint.load() is None
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_decides_a_run_names_its_checkpoint(tmp_path: Path) -> None:
    names = {Checkpoint.of(tmp_path, 5, day, seed).file for day in ("2024-03-31", "2024-04-01") for seed in (1, 2)}
    assert len(names) == 4
    assert Checkpoint.of(tmp_path, 9, "2024-03-31", 1).file in names
