"""Where models lie: <models>/<version>/, teachers in <models>/work/, evaluations and drift beside them.

Beside the teachers: checkpoints/ of unfinished trainings, adapted/ with base models adapted to the catalogue.
The students compared for a teacher are beside it, in <models>/work/<version>.json, .md and .svg.

Of the evaluations <version>.json, .md and .html are one, .queries.parquet its single queries, .gate.json what the gate
decided, .promotion.json the last promotion.
"""

import shutil
import time
from collections.abc import Collection
from pathlib import Path

from contract.errors import ArtifactMismatch, BadInput
from reranker.artifact import UNFINISHED
from reranker.manifest import is_version, read_manifest


class ModelFolders:
    """The directory of models of the setting `night.models`."""

    def __init__(self, root: str) -> None:
        self.students = Path(root)
        self.teachers = self.students / "work"
        self.checkpoints = self.teachers / "checkpoints"
        self.adapted = self.teachers / "adapted"
        self._evaluations = self.students / "evaluations"
        self.drift = self.students / "drift"

    def evaluation(self, version: str) -> Path:
        """The file of a version's evaluation, there or not."""
        return self._evaluations / f"{version}.json"

    def frontier(self, version: str) -> Path:
        """The file of the students compared for a teacher, there or not."""
        return self.teachers / f"{version}.json"

    def per_query(self, version: str) -> Path:
        """The file of a version's figures of single queries, there or not."""
        return self._evaluations / f"{version}.queries.parquet"

    def gate_record(self, version: str) -> Path:
        """The file of what the gate decided on a version, there or not."""
        return self._evaluations / f"{version}.gate.json"

    def promotion(self, version: str) -> Path:
        """The file of a version's last promotion, there or not."""
        return self._evaluations / f"{version}.promotion.json"

    def directory(self, version: str) -> Path | None:
        """Where `version` lies, student or teacher; None where it does not."""
        places = (folder / version for folder in (self.students, self.teachers)) if is_version(version) else ()
        return next((place for place in places if place.is_dir()), None)

    def student(self, version: str) -> Path:
        """The directory of `version`, or of the newest student for an empty one. Raises BadInput."""
        if version and self.directory(version) == self.teachers / version:
            raise BadInput(f"{version} is a teacher: name one of its students, or run `python -m jobs prune`")
        return _find(self.students, version, "prune")

    def teacher(self, version: str) -> Path:
        """The directory of `version`, or of the newest teacher for an empty one. Raises BadInput."""
        return _find(self.teachers, version, "train")

    def newest_evaluated(self) -> str:
        """The newest student that has an evaluation. Raises BadInput where there is none."""
        for directory in _newest_first(self.students):
            if self.evaluation(directory.name).is_file():
                return directory.name
        raise BadInput(f"{self.students}: no evaluated model; run `python -m jobs evaluate` first")

    def versions(self) -> list[str]:
        """Every model, teachers first, the oldest first."""
        return [place.name for folder in (self.teachers, self.students) for place in reversed(_newest_first(folder))]

    def newest_created_at(self) -> float | None:
        """When the newest model was made, student or teacher, in Unix seconds; None where there is none."""
        newest = [found[0] for folder in (self.students, self.teachers) if (found := _newest_first(folder))]
        return max((_created_at(directory)[0] for directory in newest), default=None)

    def tidy(self, keep: int, live: Collection[str] = ()) -> list[str]:
        """Remove all students but the newest `keep` and those `live`; all teachers and adapted base models but the
        newest `keep`; what exports left that were killed a day ago or more; and checkpoints of a week ago or more.

        Returns the versions of the removed students.
        """
        for folder in (self.students, self.teachers, self.adapted):
            for unfinished in folder.glob(f"{UNFINISHED}*"):
                if time.time() - unfinished.stat().st_mtime > 86400:
                    shutil.rmtree(unfinished)
        removed = []
        for directory in _newest_first(self.students)[keep:]:
            if directory.name not in live:
                shutil.rmtree(directory)
                for kept in self._evaluations.glob(f"{directory.name}.*"):
                    kept.unlink()
                removed.append(directory.name)
        for directory in _newest_first(self.teachers)[keep:]:
            shutil.rmtree(directory)
            for kept in self.teachers.glob(f"{directory.name}.*"):
                kept.unlink()
        adapted = [path for path in self.adapted.glob("[0-9a-f]*") if path.is_dir()]
        for directory in sorted(adapted, key=lambda path: path.stat().st_mtime, reverse=True)[keep:]:
            shutil.rmtree(directory)
        for checkpoint in self.checkpoints.glob("*"):
            if time.time() - checkpoint.stat().st_mtime > 7 * 86400:
                checkpoint.unlink()
        return removed


def _find(folder: Path, version: str, verb: str) -> Path:
    if version and (not is_version(version) or not (folder / version).is_dir()):
        raise BadInput(f"{folder}: no model {version!r}; it has {[path.name for path in _newest_first(folder)]}")
    if version:
        return folder / version
    found = _newest_first(folder)
    if not found:
        raise BadInput(f"{folder}: no model yet; run `python -m jobs {verb}` first")
    return found[0]


def _newest_first(folder: Path) -> list[Path]:
    """Directories that bear a version, by the creation time in their manifests; damaged ones come last."""
    if not folder.is_dir():
        return []
    versions = [path for path in folder.iterdir() if is_version(path.name) and path.is_dir()]
    return sorted(versions, key=_created_at, reverse=True)


def _created_at(directory: Path) -> tuple[float, str]:
    try:
        return read_manifest(directory).created_at, directory.name
    except ArtifactMismatch:
        return 0.0, directory.name
