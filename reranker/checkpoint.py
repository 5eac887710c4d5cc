"""The state of an unfinished training run, in a file that is whole or not there."""

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A file named by the digest of what decides the run, written every `steps` steps (0: never).

    A run of other settings or other data has another name, and so starts anew.
    """

    file: Path
    steps: int

    @staticmethod
    def of(folder: Path, steps: int, *deciding: object) -> "Checkpoint":
        """`deciding`: whatever the run depends on; what prints the same is the same."""
        digest = hashlib.blake2b(repr((torch.__version__, *deciding)).encode(), digest_size=12).hexdigest()
        return Checkpoint(folder / f"{digest}.pt", steps)

    def due(self, step: int) -> bool:
        return self.steps > 0 and step % self.steps == 0

    def load(self) -> dict[str, Any] | None:
        """The state that `save` was given last; None where there is none, or where the file is damaged."""
        if not self.file.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.file, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises whatever unpickling meets
            log.warning("%s does not load (%s): training starts from its beginning", self.file, error)
            return None
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Killed at any point, it leaves the file before or this one."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        aside = self.file.with_suffix(".writing")
        with aside.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.file)

    def remove(self) -> None:
        """The run is done, and its result safe elsewhere."""
        for left in (self.file, self.file.with_suffix(".writing")):
            left.unlink(missing_ok=True)
