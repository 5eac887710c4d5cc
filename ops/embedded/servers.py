"""Prometheus and Alertmanager: found on PATH or, where root and apt are there, installed. Never required.

`python -m ops.embedded.servers --install` installs what is missing, the browser of the tests too, and always exits 0:
what depends on a server that cannot be had reports UNKNOWN.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

# Debian starts a package's service at once, on the ports that the demo wants; this file tells it not to.
POLICY = Path("/usr/sbin/policy-rc.d")
APT_SECONDS = 300


@dataclass(frozen=True)
class Server:
    name: str
    package: str
    programs: tuple[str, ...]
    without: str = "what depends on it reports UNKNOWN"

    def path(self) -> str | None:
        """The program on PATH, or None. Debian calls Alertmanager prometheus-alertmanager."""
        return next((found for program in self.programs if (found := shutil.which(program))), None)


PROMETHEUS = Server("Prometheus", "prometheus", ("prometheus",))
ALERTMANAGER = Server("Alertmanager", "prometheus-alertmanager", ("prometheus-alertmanager", "alertmanager"))
SERVERS = (PROMETHEUS, ALERTMANAGER)
# Tests drive it; the demo does without.
CHROMIUM = Server(
    "Chromium", "chromium", ("chromium", "chromium-browser", "google-chrome"), "the tests of web pages are not run"
)


def ensure(servers: Iterable[Server] = SERVERS, say: Callable[[str], None] = print) -> None:
    """Install what is missing, where that can be done; one line through `say` for each that cannot be had."""
    missing = [server for server in servers if server.path() is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing {', '.join(server.package for server in missing)} with apt ...")
        apt_install([server.package for server in missing])
    for server in missing:
        if server.path() is None:
            say(missing_line(server))


def missing_line(server: Server) -> str:
    return (
        f"{server.name} is not on PATH and cannot be installed here: going on without it; "
        f"{server.without} (`apt-get install {server.package}` as root changes that)"
    )


def apt_install(packages: list[str]) -> None:
    """Without questions and without starting services; a failure is left to the caller, who looks at PATH again."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            subprocess.run(
                ["apt-get", "-o", "DPkg::Lock::Timeout=60", *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                timeout=APT_SECONDS,
                check=False,
            )
    except subprocess.TimeoutExpired:
        pass
    finally:
        if ours:
            POLICY.unlink(missing_ok=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--install"]:
        ensure((*SERVERS, CHROMIUM))
    for known in (*SERVERS, CHROMIUM):
        print(f"{known.name}: {known.path() or 'not found'}")
