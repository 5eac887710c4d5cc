"""Make `.venv` and install every package into it: all of `make setup`. Standard library only: it runs before them.

What was installed is stamped with a hash of pyproject.toml and constraints.txt, so that a second run is instant.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.sha256"
EXTRAS = "gateway,ranker,jobs,airflow,embedded,dev"
SUPPORTED = ((3, 11), (3, 13))


def main() -> int:
    wanted = fingerprint()
    if STAMP.exists() and PYTHON.exists() and STAMP.read_text() == wanted:
        return 0
    problem = cannot_make_venv()
    if problem:
        print(f"make setup: {problem}", file=sys.stderr)
        return 1
    try:
        install()
    except subprocess.CalledProcessError as error:
        print(
            f"make setup: `{' '.join(map(str, error.cmd))}` failed (its output is above). "
            "Is the package index reachable? pip's and uv's own settings are respected.",
            file=sys.stderr,
        )
        return 1
    STAMP.write_text(wanted)
    return 0


def fingerprint() -> str:
    """Of what decides the installation: the interpreter, the dependencies and their pins."""
    digest = hashlib.sha256(f"{sys.version} {EXTRAS}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((PROJECT / name).read_bytes())
    return digest.hexdigest()


def cannot_make_venv() -> str | None:
    """Why no virtual environment can be made here and what to do, or None."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not SUPPORTED[0] <= sys.version_info[:2] < SUPPORTED[1]:
        return (
            f"Python {version} at {sys.executable} cannot run this; give 3.11 or 3.12: `make setup PYTHON=python3.11`"
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return f"Python {version} has no venv: `apt-get install python{version}-venv`, then run this again"
    return None


def install() -> None:
    if not PYTHON.exists() or subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode:
        step(f"making {VENV.name} with Python {sys.version.split()[0]}")
        shutil.rmtree(VENV, ignore_errors=True)
        run(sys.executable, "-m", "venv", VENV)
    constraints = PROJECT / "constraints.txt"
    # pip takes a CPU build of torch where its index offers one; uv would resolve to several GB of CUDA.
    step("installing torch")
    pip("install", "--quiet", "-c", constraints, "torch==2.13.0")
    pip("install", "--quiet", "uv")
    step(f"installing pacesetter[{EXTRAS}]")
    run(
        VENV / "bin" / "uv", "pip", "install", "--quiet", "--python", PYTHON, "--constraint", constraints,
        "--editable", f"{PROJECT}[{EXTRAS}]", env={**os.environ, **indexes_for_uv()},
    )  # fmt: skip
    pip("check", "--quiet")


def indexes_for_uv() -> dict[str, str]:
    """pip's index settings as uv's variables: uv does not read pip's configuration. What uv has set already wins."""
    listing = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    settings: dict[str, str] = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        if name.startswith((":env:.", "global.", "install.")) and key not in settings:
            settings[key] = value.strip("'\"").replace("\\n", " ")
    pairs = {
        "UV_DEFAULT_INDEX": settings.get("index-url"),
        "UV_INDEX": settings.get("extra-index-url"),
        "UV_FIND_LINKS": ",".join(settings.get("find-links", "").split()),
        "SSL_CERT_FILE": settings.get("cert"),
        # pip looks at every index and takes the newest; uv stops at the first that knows the name.
        "UV_INDEX_STRATEGY": "unsafe-best-match" if settings.get("extra-index-url") else None,
    }
    return {name: value for name, value in pairs.items() if value and name not in os.environ}


def pip(*arguments: "str | Path") -> None:
    run(PYTHON, "-m", "pip", *arguments)


def run(*command: "str | Path", env: "dict[str, str] | None" = None) -> None:
    subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL, env=env)


def step(text: str) -> None:
    print(f"setup: {text} ...", flush=True)


if __name__ == "__main__":
    sys.exit(main())
