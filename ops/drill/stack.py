"""The demo's servers for a drill: the ranker can be slowed, Prometheus looks each second, Airflow gives way to both."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import requests
from rich.console import Console

from contract.keys import Keys
from contract.settings import Settings
from contract.slo import Slo
from contract.store.connection import connect
from ops.drill.places import PROJECT, fill, loopback_session, scrape_as_often, variables_of
from ops.drill.shop import Shop
from ops.embedded.airflow_api import AirflowApi
from ops.embedded.airflow_env import airflow_environment, prepare_home
from ops.embedded.processes import die_with_parent
from ops.embedded.programs import Folders, Program, programs
from ops.embedded.stack import migrate, supervised, wait_for_airflow
from ops.embedded.supervision import StackFailed

DAG = "sla_check"
MODEL_SECONDS, READY_SECONDS = 180.0, 120.0
# Airflow's processes take both cores while they start and with every run: measured beside them, a call is not slow.
AIRFLOW_GIVES_WAY = ("nice", "-n", "10")
# What fired before Alertmanager was found would be told to it a minute later.
TELLS_AGAIN = "--rules.alert.resend-delay=1s"


@contextlib.contextmanager
def running(
    settings: Settings, slo: Slo, folders: Folders, delay: Path, tell: Callable[[str], None]
) -> Iterator[AirflowApi]:
    """The whole stack, its model warm and serving, `sla_check` unpaused; `delay` is the slowed ranker's file.

    It ends, with every descendant of this process, when the block is left. Raises StackFailed.
    """
    fill(folders, slo)
    prepare_home(settings, folders.airflow)
    environment = environment_of(settings, folders)
    with model_in_the_making(Path(settings.night.models), environment, folders.project / "model.log") as made:
        migrate(folders, environment, Console(quiet=True))
        model = made()
    tell(f"there are a model, {model}, and Airflow's database")
    servers = drill_programs(settings, folders, delay)
    scrape_as_often(folders.run / "prometheus.yml", slo)
    with supervised(servers, folders, environment, lambda program, seconds: tell(f"up: {program.name}")):
        client = connect(settings.redis.url, settings.redis.publish_timeout_seconds)
        Shop().publish(client, Keys(settings.redis.prefix), model)
        airflow = AirflowApi(f"http://127.0.0.1:{settings.airflow.port}", settings.airflow.password)
        wait_for_airflow(airflow)
        wait_for(lambda: DAG in airflow.dag_ids(), f"Airflow knows no {DAG}: see airflow-dags.log")
        airflow.unpause(DAG)
        wait_for(lambda: ranker_of(settings).startswith("serves"), "the ranker serves no model: see ranker.log")
        yield airflow


def environment_of(settings: Settings, folders: Folders) -> dict[str, str]:
    """Of every process: the drill's settings alone; the project's folder is on the path, but its `.env` is not read."""
    return {
        **os.environ,
        **airflow_environment(settings, folders.airflow, PROJECT),
        **variables_of(settings),
        "AIRFLOW_VAR_PACESETTER_HOME": str(folders.project),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "PYTHONPATH": str(PROJECT),
        "PYTHONUNBUFFERED": "1",
    }


@contextlib.contextmanager
def model_in_the_making(models: Path, environment: dict[str, str], log: Path) -> Iterator[Callable[[], str]]:
    """A process makes a model; call what is yielded to wait for it, for its version. Raises StackFailed."""
    with log.open("wb") as output:
        making = subprocess.Popen(
            [sys.executable, "-m", "ops.drill.model", str(models)], env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, preexec_fn=die_with_parent,
        )  # fmt: skip

    def version() -> str:
        if making.wait(MODEL_SECONDS):
            raise StackFailed(f"no model could be made:\n{log.read_text()}")
        return next(path.name for path in models.iterdir())

    try:
        yield version
    finally:
        making.kill()
        making.wait()


def drill_programs(settings: Settings, folders: Folders, delay: Path) -> list[Program]:
    """Those of the demo. Nothing in a drill waits for the triggerer."""
    slowed = [sys.executable, "-m", "ops.drill.slow_ranker", str(delay)]
    found = []
    for program in programs(settings, folders):
        if program.name == "ranker":
            program = replace(program, command=slowed)
        elif program.name == "prometheus":
            program = replace(program, command=[*program.command, TELLS_AGAIN])
        elif program.name.startswith("airflow"):
            program = replace(program, command=[*AIRFLOW_GIVES_WAY, *program.command])
        if program.name != "airflow-triggerer":
            found.append(program)
    return found


def ranker_of(settings: Settings) -> str:
    """What the gateway says of its ranker."""
    try:
        answer = loopback_session().get(f"{settings.monitoring.gateway_url}/readyz", timeout=5)
        return str(answer.json().get("ranker", ""))
    except requests.RequestException:
        return ""


def wait_for(holds: Callable[[], bool], otherwise: str) -> None:
    """Raises StackFailed with the text `otherwise` where it does not come about."""
    deadline = time.monotonic() + READY_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise StackFailed(otherwise)
        time.sleep(0.3)
