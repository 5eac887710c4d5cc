"""The Makefile and the installation behind it."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops.embedded import install

ROOT = Path(__file__).parents[2]


def make(*arguments: str) -> str:
    return subprocess.run(
        ["make", "--no-print-directory", "-C", ROOT, *arguments], capture_output=True, text=True, check=True
    ).stdout


def test_help_lists_every_target() -> None:
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    listed = [line.split()[1] for line in make("help").splitlines()]
    assert sorted(listed) == sorted(phony.removeprefix(".PHONY:").split())


def test_demo_hands_its_switches_on() -> None:
    assert "ops.embedded.demo --once --night" in make("-n", "demo", "ONCE=1", "NIGHT=1")
    assert "--" not in make("-n", "demo").split("ops.embedded.demo")[1]


def test_integration_runs_the_test_command_of_the_readme() -> None:
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test </dev/null")
    assert "make test" in (ROOT / "README.md").read_text()


def test_a_changed_dependency_installs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("as it was")
    monkeypatch.setattr(install, "PROJECT", tmp_path)
    before = install.fingerprint()
    assert install.fingerprint() == before
    (tmp_path / "constraints.txt").write_text("torch==2.14.0")
    assert install.fingerprint() != before


def test_an_unsupported_python_is_told_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    assert install.cannot_make_venv() is None
    monkeypatch.setattr(install, "SUPPORTED", ((3, 99), (3, 100)))
    assert "make setup PYTHON=python3.11" in str(install.cannot_make_venv())


def test_a_python_without_venv_is_told_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert "apt-get install python3." in str(install.cannot_make_venv())


def test_uv_gets_the_indexes_that_pip_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.internal/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "wheels more-wheels")
    found = install.indexes_for_uv()
    assert found["UV_DEFAULT_INDEX"] == "https://mirror.internal/simple"
    assert found["UV_FIND_LINKS"] == "wheels,more-wheels"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://own.internal/simple")
    assert "UV_DEFAULT_INDEX" not in install.indexes_for_uv()
