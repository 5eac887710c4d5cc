"""Which Java is taken: real ones, and stand-ins that only tell their version."""

import subprocess
from pathlib import Path

import pytest

from jobs.java import java_home, java_version


def stand_in(home: Path, version: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(0o755)
    return home


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without Java: `sh` is found, `java` is not."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


def test_versions_old_and_new_are_read(tmp_path: Path) -> None:
    assert java_version(stand_in(tmp_path / "8", "1.8.0_392")) == 8
    assert java_version(stand_in(tmp_path / "21", "21.0.1")) == 21
    assert java_version(tmp_path / "none") == 0


def test_java_home_wins_if_it_is_new_enough(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = stand_in(tmp_path / "new", "21.0.1"), stand_in(tmp_path / "old", "11.0.2")
    (bare / "java").symlink_to(new / "bin" / "java")
    monkeypatch.setenv("JAVA_HOME", str(old))
    assert java_home(tmp_path) == str(new)
    monkeypatch.setenv("JAVA_HOME", str(new))
    (bare / "java").unlink()
    assert java_home(tmp_path) == str(new)


def test_without_any_the_wheel_s_java_is_wrapped(bare: Path, tmp_path: Path) -> None:
    home = java_home(tmp_path / "it's here")
    assert home == str(tmp_path / "it's here" / "java")
    assert java_version(Path(home)) >= 17
    # What Spark asks for, and the bundled Java alone refuses.
    asked = [f"{home}/bin/java", "--add-modules=jdk.incubator.vector", "-Dwords=two words", "-XshowSettings:all"]
    shown = subprocess.run([*asked, "-version"], capture_output=True, text=True)
    assert shown.returncode == 0
    assert "words = two words" in shown.stderr


def test_the_wrapper_is_written_once(bare: Path, tmp_path: Path) -> None:
    start = Path(java_home(tmp_path) or "") / "bin" / "java"
    written = start.stat().st_mtime_ns
    java_home(tmp_path)
    assert start.stat().st_mtime_ns == written
