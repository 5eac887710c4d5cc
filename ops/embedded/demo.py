"""`make demo`: the whole platform on this machine, from an empty folder to an answered recommend call.

    python -m ops.embedded.demo [--once] [--night]

Every server listens on loopback and is a supervised child; whatever way this process ends, they end with it.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import requests
from jobs.java import java_home
from rich.console import Console

from contract.errors import PacesetterError
from contract.keys import Keys
from contract.records import Pointer
from contract.settings import Settings, read_settings
from contract.store.connection import connect
from contract.store.reader import Reader
from ops.embedded.airflow_api import AirflowApi, AirflowRefused
from ops.embedded.airflow_env import airflow_environment, prepare_home
from ops.embedded.first_call import choose_query, first_answer
from ops.embedded.night import STANDING_DAGS, Night
from ops.embedded.ports import check_ports, wanted_ports
from ops.embedded.processes import Census, adopt_orphans, die_with_parent, end, read_record, recorded
from ops.embedded.screen import NightScreen, places_table, slate_panel
from ops.embedded.servers import ALERTMANAGER, PROMETHEUS, ensure
from ops.embedded.stack import Folders, programs
from ops.embedded.supervision import Program, StackFailed, Supervision, tail_of

START_SECONDS = 180.0
MIGRATE_SECONDS = 300


class Ended(BaseException):
    """A signal asked the demo to end."""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make demo", description="The whole platform on this machine.")
    parser.add_argument("--once", action="store_true", help="stop everything after the first answer (make demo ONCE=1)")
    parser.add_argument("--night", action="store_true", help="run a night though one is live (make demo NIGHT=1)")
    args = parser.parse_args(argv)
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    folders = Folders(Path(__file__).resolve().parents[2])
    os.chdir(folders.project)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_on_signal)
    begun = time.monotonic()
    try:
        settings = read_settings()
        with only_demo(folders.run), stack(settings, folders, console) as census:
            night = run_night(settings, folders, console, args.night)
            show_answer(settings, folders, console, night)
            write_night(folders.run / "night.json", night, census)
            console.print(f"ready after {time.monotonic() - begun:.0f} s", style="dim")
            if not args.once:
                console.print("\nPress Ctrl-C to stop everything.", style="bold")
                threading.Event().wait()
    except Ended:
        with contextlib.suppress(OSError):  # the terminal may be gone
            console.print("stopped: no process is left; `make demo` goes on from here, `make down` removes var/")
        return 0
    except (PacesetterError, OSError) as error:
        console.print(f"demo: {error}", style="red", markup=False)
        return 1
    return 0


def end_on_signal(number: int, frame: FrameType | None) -> None:
    """Once: what follows is the orderly end, which a second Ctrl-C must not cut short."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise Ended


@contextlib.contextmanager
def only_demo(run: Path) -> Iterator[TextIO]:
    """Hold the lock of this checkout's demo; the file names our process id. Raises StackFailed if another holds it."""
    run.mkdir(parents=True, exist_ok=True)
    with (run / "demo.pid").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise StackFailed(f"a demo runs here already (pid {lock.read().strip()}): `make down` ends it") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock


@contextlib.contextmanager
def stack(settings: Settings, folders: Folders, console: Console) -> Iterator[Census]:
    """The platform, up and listening. It ends, with every descendant, when the block is left."""
    record = folders.run / "processes.json"
    end(recorded(read_record(record)))  # what a demo that was killed outright left behind
    check_ports(wanted_ports(settings))
    ensure((PROMETHEUS, ALERTMANAGER), lambda line: console.print(line, style="yellow"))
    adopt_orphans()
    java = java_home(folders.run)
    prepare_home(settings, folders.airflow)
    environment = {
        **os.environ,
        **airflow_environment(settings, folders.airflow, folders.project, str(java) if java else None),
        # The demo unpauses each DAG at its turn: the re-ranker has nothing to learn from before the first night.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "PYTHONUNBUFFERED": "1",
    }
    migrate(folders, environment, console)
    supervision = Supervision(programs(settings, folders), folders.run, folders.log, environment)
    census = Census(record)
    try:
        supervision.start()
        census.not_ours_to_reap.add(supervision.pid)
        census.start()
        console.print(f"starting {len(supervision.programs)} servers (logs in {folders.log.relative_to(Path.cwd())}/)")
        supervision.wait_until_up(START_SECONDS, lambda program, seconds: tell_up(console, program, seconds))
        yield census
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
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


def run_night(settings: Settings, folders: Folders, console: Console, forced: bool) -> dict[str, Any]:
    """A night through Airflow, unless a generation and a model are live; what was measured, by task."""
    airflow = AirflowApi(f"http://127.0.0.1:{settings.airflow.port}", settings.airflow.password)
    wait_for_airflow(airflow)
    live = live_pointer(settings)
    if live.generation and live.model and not forced:
        console.print(f"generation {live.generation} and model {live.model} are live: no night (NIGHT=1 forces one)")
        return {}
    begun = time.monotonic()
    with NightScreen(console) as screen:
        tasks = Night(airflow, folders.project / settings.night.reports, screen.show).run()
    airflow.unpause(STANDING_DAGS[0])
    return {
        "night_seconds": round(time.monotonic() - begun, 1),
        "task_seconds": {f"{task.dag}.{task.id}": round(task.seconds or 0.0, 1) for task in tasks},
    }


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


def live_pointer(settings: Settings) -> Pointer:
    client = connect(settings.redis.url, settings.redis.publish_timeout_seconds, settings.redis.cluster)
    return Reader(client, Keys(settings.redis.prefix)).pointer()


def show_answer(settings: Settings, folders: Folders, console: Console, night: dict[str, Any]) -> None:
    query = choose_query(settings, live_pointer(settings).generation)
    answer = first_answer(settings, query)
    console.print()
    console.print(slate_panel(answer, f"GET /recommend for {query}"))
    if night:
        console.print(f"The night took {night['night_seconds']:.0f} s.", style="bold")
    console.print(places_table(places(settings, folders)))


def places(settings: Settings, folders: Folders) -> dict[str, str]:
    """Where a person looks next."""
    gateway = f"http://{settings.gateway.host}:{settings.gateway.port}"
    monitoring = settings.monitoring
    return {
        "Airflow UI": f"http://127.0.0.1:{settings.airflow.port}   (admin / {settings.airflow.password})",
        "API": f"{gateway}/openapi.json   {gateway}/recommend?user_id={settings.demo.user}&n=10",
        "Monitor": f"{gateway}/monitor.json",
        "Metrics": f"{gateway}/metrics   http://{settings.ranker.host}:{settings.ranker.metrics_port}/metrics",
        "Prometheus": monitoring.prometheus_url if PROMETHEUS.path() else "not installed: objectives are UNKNOWN",
        "Alertmanager": monitoring.alertmanager_url if ALERTMANAGER.path() else "not installed",
        "Mails": f"http://127.0.0.1:{settings.mail.web_port}",
        "Data Docs": (folders.project / settings.night.data_docs / "index.html").as_uri(),
        "Logs": f"{folders.log.relative_to(folders.project)}/",
    }


def write_night(path: Path, night: dict[str, Any], census: Census) -> None:
    """The figures of the night, for people and scripts. A demo that ran no night leaves the last one's."""
    if night:
        peaks = {label: round(peak / 2**20) for label, peak in census.peaks().items()}
        path.write_text(json.dumps({**night, "peak_rss_mib": peaks}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
