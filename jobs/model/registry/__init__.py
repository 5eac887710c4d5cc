"""The model registry (MLflow): a run for every model, a model version for every student, aliases for what is live.

All that is logged is read from the model's own files and from the pointer. So the registry decides nothing and may be
away: the verb says so and goes on, and the next one, or `python -m jobs register`, brings what is missing.
"""

import re
import sys
from collections.abc import Callable, Collection
from typing import TypeVar

from contract import settings as sections
from contract.errors import BadInput
from contract.records import Pointer
from contract.reports import run_link
from contract.settings import Settings
from jobs.model.folders import ModelFolders
from jobs.model.registry.facts import facts_of
from jobs.model.registry.store import CHALLENGER, CHAMPION, ModelRegistry

T = TypeVar("T")


def record_model(settings: Settings, folders: ModelFolders, version: str, report: str | None = None) -> bool:
    """Bring what the files of `version` say into its run, and leave the run's address beside `report`.

    False where the registry could not be reached; never raises for it.
    """
    url = attempt(settings.registry, lambda registry: _record(registry, folders, version))
    if url and report:
        place = run_link(report)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(url + "\n")
    return url is not None


def follow_pointer(
    settings: Settings,
    folders: ModelFolders,
    pointer: Pointer,
    removed: Collection[str] = (),
    report: str | None = None,
) -> None:
    """Make the alias `champion` what the pointer names; models `removed` from the disk are marked so."""

    def follow(registry: ModelRegistry) -> None:
        for version in removed:
            registry.mark(version, "artifact", "removed")
        if pointer.model and folders.directory(pointer.model):
            _record(registry, folders, pointer.model)
        registry.point(CHAMPION, pointer.model)
        _point_challenger(registry, folders)

    attempt(settings.registry, follow)
    if pointer.model and report:
        record_model(settings, folders, pointer.model, report)


def champion(settings: Settings) -> str:
    """The version with the alias `champion`; empty where there is none, or nobody answers."""
    return attempt(settings.registry, lambda registry: registry.version_of(CHAMPION)) or ""


def attempt(options: sections.Registry, act: Callable[[ModelRegistry], T]) -> T | None:
    """`act` on the registry; None where there is none, and where anything goes wrong, which is told."""
    if not options.tracking_uri:
        return None
    try:
        return act(ModelRegistry.open(options))
    except Exception as error:  # MLflow's, SQLAlchemy's, requests', the disk's: none of them may cost a model
        told = without_password(str(error).splitlines()[0] if str(error) else "")
        print(
            f"registry {without_password(options.tracking_uri)} (PACE_REGISTRY__TRACKING_URI): {type(error).__name__}: "
            f"{told}. Nothing is lost, the job goes on: `python -m jobs register` brings what is missing from the "
            "models' files",
            file=sys.stderr,
        )
        return None


def without_password(text: str) -> str:
    """Users and passwords of URLs left out: the text goes to a log."""
    return re.sub(r"//[^/@\s]+@", "//", text)


def _record(registry: ModelRegistry, folders: ModelFolders, version: str) -> str:
    """The address of the run."""
    directory = folders.directory(version)
    if directory is None:
        raise BadInput(f"{folders.students}: no model {version}")
    parent = None
    facts = facts_of(directory, folders)
    if teacher := facts.teacher:
        there = folders.directory(teacher)
        parent = registry.log(facts_of(there, folders)) if there else registry.find(teacher)
    run = registry.log(facts, parent)
    if facts.role == "student":
        registry.register(facts, run, directory)
        _point_challenger(registry, folders)
    return registry.url(run)


def _point_challenger(registry: ModelRegistry, folders: ModelFolders) -> None:
    """The newest evaluated model, unless it is live or the gate refused it."""
    try:
        newest = folders.newest_evaluated()
    except BadInput:
        newest = ""
    if newest and (newest == registry.version_of(CHAMPION) or facts_of(folders.student(newest), folders).refused):
        newest = ""
    registry.point(CHALLENGER, newest)
