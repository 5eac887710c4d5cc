"""Several processes train one network: plain torch.distributed, gradients summed once a step.

Not DistributedDataParallel: its hooks want every process to run the same number of backward passes, but one whose
GPU runs out of memory goes on in smaller ones (docs/decisions/training.md).
"""

import os
import pickle
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from contract.errors import PacesetterError

# One process validates while the others wait.
PATIENCE = timedelta(hours=2)


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this one is."""

    rank: int = 0
    size: int = 1

    def total(self, value: float, device: torch.device) -> float:
        """The sum of every process's `value`."""
        if self.size == 1:
            return value
        summed = torch.tensor([value], dtype=torch.float32, device=device)
        dist.all_reduce(summed)
        return float(summed)

    def of_first(self, value: float, device: torch.device) -> float:
        """The first process's `value`."""
        return self.total(value if self.rank == 0 else 0.0, device)

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by the sum of all processes'; a process without one counts as zero."""
        if self.size == 1:
            return
        trained = [weight for weight in parameters if weight.requires_grad]
        for weight in trained:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        whole = torch.cat([_gradient(weight).flatten() for weight in trained])
        dist.all_reduce(whole)
        for weight, part in zip(trained, whole.split([weight.numel() for weight in trained]), strict=True):
            _gradient(weight).copy_(part.view_as(weight))


def _gradient(weight: nn.Parameter) -> Tensor:
    found: Tensor = weight.grad
    return found


def current_ranks() -> Ranks:
    """Those that `in_processes` started, or the one process that there is."""
    return Ranks(dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else Ranks()


def in_processes(size: int, cuda: bool, work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work(*arguments)` returns in the first of `size` processes, all of which run it.

    `work` is a function of a module, its arguments and result pickle. With one process it is a plain call. `cuda`
    gives each process a GPU of its own. Raises what `work` raised, if that was a PacesetterError; PacesetterError
    where a process died. The others are ended then.
    """
    if size == 1:
        return work(*arguments)
    from torch.multiprocessing import ProcessExitedException, ProcessRaisedException, start_processes

    if cuda and torch.cuda.device_count() < size:
        raise PacesetterError(
            f"{size} processes want a GPU each, but there are {torch.cuda.device_count()}: lower "
            "PACE_TRAINING__PROCESSES"
        )
    with tempfile.TemporaryDirectory(prefix="pace-ranks-") as folder:
        place = Path(folder)
        try:
            start_processes(_rank, (size, cuda, folder, work, arguments), nprocs=size, start_method="spawn")
        except (ProcessExitedException, ProcessRaisedException) as error:
            for failed in sorted(place.glob("error-*")):
                raise pickle.loads(failed.read_bytes()) from error
            raise PacesetterError(f"a training process died; the checkpoint is kept: {error}") from error
        return pickle.loads((place / "result").read_bytes())


def _rank(rank: int, size: int, cuda: bool, folder: str, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """One process of the group, which meets through a file: no port to choose."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    if cuda:
        torch.cuda.set_device(rank)
    dist.init_process_group(
        "nccl" if cuda else "gloo",
        init_method=f"file://{folder}/meeting",
        rank=rank,
        world_size=size,
        timeout=PATIENCE,
    )
    try:
        result = work(*arguments)
        if rank == 0:
            Path(folder, "result").write_bytes(pickle.dumps(result))
        dist.barrier()
    except PacesetterError as error:
        Path(folder, f"error-{rank}").write_bytes(pickle.dumps(error))
        raise
    finally:
        dist.destroy_process_group()
