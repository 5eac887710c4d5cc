"""Runs programs under supervisord: restarted when they die, logged to files, and ended with all their children."""

import configparser
import hashlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from contract.errors import PacesetterError
from ops.embedded.processes import die_with_parent
from ops.embedded.programs import Program

STOP_SECONDS = 10
# The longest path of a unix socket is 108 bytes on Linux, 104 on macOS.
LONGEST_SOCKET_PATH = 100


class StackFailed(PacesetterError):
    """A program of the stack does not start; the text ends with the last lines of its log."""


class Supervision:
    """supervisord over `programs`, as a child that ends with this process. `run` and `log` are folders."""

    def __init__(self, programs: Sequence[Program], run: Path, log: Path, environment: Mapping[str, str]) -> None:
        self.programs = programs
        self._run = run
        self._log = log
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start supervisord, which starts every program. Call it from the main thread."""
        self._run.mkdir(parents=True, exist_ok=True)
        self._log.mkdir(parents=True, exist_ok=True)
        config = self._run / "supervisord.conf"
        with config.open("w") as file:
            supervisord_config(self.programs, self._run, self._log).write(file)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config)],
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self._log / "supervisord.err").open("wb"),
            start_new_session=True,  # a Ctrl-C goes to the demo alone, which then ends the rest in order
            preexec_fn=die_with_parent,
        )

    def wait_until_up(self, seconds: float, on_up: Callable[[Program, float], None]) -> None:
        """Until every program listens. Raises StackFailed naming the one that gave up, or is late."""
        begun = time.monotonic()
        waiting = list(self.programs)
        while waiting:
            for program in list(waiting):
                if all(accepts(*port) for port in program.ports):
                    waiting.remove(program)
                    on_up(program, time.monotonic() - begun)
            states = self.states()
            dead = [program for program in self.programs if states.get(program.name) == "FATAL"]
            late = time.monotonic() - begun > seconds
            if dead or (waiting and late):
                program = (dead or waiting)[0]
                what = "does not stay up" if dead else f"does not listen after {seconds:.0f} s"
                raise StackFailed(f"{program.name} {what}; the end of its log:\n{self.tail(program.name)}")
            if self._process is None or self._process.poll() is not None:
                raise StackFailed(f"supervisord ended:\n{tail_of(self._log / 'supervisord.err')}")
            time.sleep(0.2)

    def states(self) -> dict[str, str]:
        """supervisord's word for the state of each program; empty while it cannot be asked."""
        try:
            answer: Any = control(self._run).supervisor.getAllProcessInfo()
        except OSError:
            return {}
        return {process["name"]: process["statename"] for process in answer}

    def tail(self, name: str, lines: int = 20) -> str:
        return tail_of(self._log / f"{name}.log", lines)

    def stop(self) -> None:
        """End every program and its process group, then supervisord itself."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(3 * STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def pid(self) -> int:
        """Of supervisord; 0 where it was not started."""
        return self._process.pid if self._process else 0


def supervisord_config(programs: Sequence[Program], run: Path, log: Path) -> configparser.RawConfigParser:
    """The configuration as supervisord reads it. Its control socket is a file that only the user may open."""
    config = configparser.RawConfigParser()
    config["unix_http_server"] = {"file": str(socket_path(run)), "chmod": "0700"}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    config["supervisorctl"] = {"serverurl": f"unix://{socket_path(run)}"}
    config["supervisord"] = {
        "nodaemon": "true",
        "logfile": escaped(log / "supervisord.log"),
        "pidfile": escaped(run / "supervisord.pid"),
        "childlogdir": escaped(log),
    }
    for program in programs:
        config[f"program:{program.name}"] = {
            "command": escaped(shlex.join(program.command)),
            "autorestart": "true",
            "startsecs": "2",
            "startretries": "3",
            "stopwaitsecs": str(STOP_SECONDS),
            # Airflow's children outlive a SIGTERM to their parent alone.
            "stopasgroup": "true",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": escaped(log / f"{program.name}.log"),
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": "1",
        }
    return config


def socket_path(run: Path) -> Path:
    path = run / "supervisor.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(run)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"pacesetter-{os.getuid()}-{name}.sock"


def control(run: Path) -> ServerProxy:
    """supervisord's XML-RPC, through its socket."""
    return ServerProxy("http://127.0.0.1", transport=SupervisorTransport(None, None, f"unix://{socket_path(run)}"))


def escaped(value: object) -> str:
    return str(value).replace("%", "%%")


def accepts(host: str, port: int) -> bool:
    """Whether something accepts a connection there now."""
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


def tail_of(path: Path, lines: int = 20) -> str:
    """The last lines of a log; a word where there is none."""
    if not path.exists():
        return f"({path} was not written)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) or f"({path} is empty)"
