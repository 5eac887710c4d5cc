"""Where the sources lie, by the settings: paths are those of the jobs, which run in the project's home."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from contract.settings import Settings


@dataclass(frozen=True)
class Places:
    lake: str
    objectives: Path
    models: Path
    data_docs: Path

    @classmethod
    def of(cls, settings: Settings, home: Path) -> Self:
        night = settings.night
        return cls(
            lake=night.lake if ":" in night.lake else str(home / night.lake),
            objectives=home / settings.monitoring.objectives,
            models=home / night.models,
            data_docs=home / night.data_docs,
        )

    def evaluation(self, name: str) -> Path:
        """A file of the evaluations, there or not."""
        return self.models / "evaluations" / name
