"""One domain's verbs, each a process of its own, told apart by nothing but a scenario's file."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.domains import films, news

Write = Callable[..., tuple[Path, Path]]


@dataclass(frozen=True)
class Domain:
    """A generated dataset: `write` leaves items and events in a folder, as many as it is told; `scenario` says what
    they mean."""

    name: str
    scenario: Path
    write: Write


FOLDER = Path(__file__).parent
DOMAINS = {
    name: Domain(name, FOLDER / f"{name}.yaml", module.write_dataset)
    for name, module in (("films", films), ("news", news))
}


class VerbFailed(Exception):
    """A verb ended with another status than 0; the text ends with what it said."""


def environment_of(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Of verbs that work in `folder`: the caller's without its own settings, and `settings`."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PACE_")}
    return mine | {
        "PACE_NIGHT__LAKE": str(folder / "lake"),
        "PACE_NIGHT__MODELS": str(folder / "models"),
        "PACE_NIGHT__DATA_DOCS": str(folder / "docs"),
        "PACE_REGISTRY__TRACKING_URI": f"sqlite:///{folder}/mlflow/mlflow.db",
        **settings,
    }


def import_verb(domain: Domain, folder: Path, **numbers: int) -> tuple[str, ...]:
    """Writes the domain's data into `folder`; the verb that imports it."""
    folder.mkdir(parents=True, exist_ok=True)
    items, events = domain.write(folder, **numbers)
    return "import_events", "--items", str(items), "--events", str(events)


def run_verbs(verbs: Sequence[Sequence[str]], env: Mapping[str, str], told: Callable[[str], None] = print) -> None:
    """Run `python -m jobs` with each of `verbs`. Raises VerbFailed."""
    for verb in verbs:
        told(" ".join(verb))
        done = subprocess.run(
            [sys.executable, "-m", "jobs", *verb], env=dict(env), capture_output=True, text=True, timeout=4 * 3600
        )
        if done.returncode:
            raise VerbFailed(f"{' '.join(verb)}: status {done.returncode}\n{done.stderr[-3000:]}")
