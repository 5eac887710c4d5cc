"""`make demo`: the whole platform on this machine, from an empty folder to an answered recommend call.

    python -m ops.embedded.demo [--once] [--night]

Every server listens on loopback and is a supervised child; whatever way this process ends, they end with it.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from contract.errors import PacesetterError
from contract.keys import Keys
from contract.records import Pointer
from contract.settings import Settings, read_settings
from contract.store.connection import connect
from contract.store.reader import Reader
from ops.embedded.airflow_api import AirflowApi
from ops.embedded.first_call import choose_query, first_answer
from ops.embedded.night import STANDING_DAGS, Night
from ops.embedded.processes import Census
from ops.embedded.programs import Folders
from ops.embedded.screen import NightScreen, places_table, slate_panel
from ops.embedded.servers import ALERTMANAGER, PROMETHEUS
from ops.embedded.stack import SIGNALS, only_demo, platform, wait_for_airflow

INTERRUPTED = 130


class Ended(BaseException):
    """A signal asked the demo to end."""


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make demo", description="The whole platform on this machine.")
    parser.add_argument("--once", action="store_true", help="stop everything after the first answer (make demo ONCE=1)")
    parser.add_argument("--night", action="store_true", help="run a night though one is live (make demo NIGHT=1)")
    args = parser.parse_args(argv)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    folders = Folders(Path(__file__).resolve().parents[2])
    os.chdir(folders.project)
    for number in SIGNALS:
        signal.signal(number, end_on_signal)
    answered = False
    try:
        settings = read_settings()
        with only_demo(folders.run), platform(settings, folders, console) as census:
            show(settings, folders, console, census, forced=args.night)
            answered = True
            if not args.once:
                console.print("\nPress Ctrl-C to stop everything.", style="bold")
                threading.Event().wait()
    except Ended:
        with contextlib.suppress(OSError):  # the terminal may be gone
            console.print("\nStopped: no process is left. `make demo` goes on from here, `make down` removes var/.")
        return 0 if answered else INTERRUPTED
    except (PacesetterError, OSError) as error:
        console.print(f"demo: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    return 0


def end_on_signal(number: int, frame: FrameType | None) -> None:
    """Once: what follows is the orderly end, which a second Ctrl-C must not cut short."""
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Ended


def show(settings: Settings, folders: Folders, console: Console, census: Census, forced: bool) -> None:
    """The night if one is due, the slate of a recommend call, the night's figures, and where everything is."""
    airflow = AirflowApi(f"http://127.0.0.1:{settings.airflow.port}", settings.airflow.password)
    wait_for_airflow(airflow)
    figures = folders.run / "night.json"
    live = live_pointer(settings)
    if live.generation and live.model and not forced:
        console.print(f"generation {live.generation} and model {live.model} are live: no night (NIGHT=1 forces one)")
    else:
        night = run_night(airflow, folders.project / settings.night.reports, console)
        figures.write_text(
            json.dumps({**night, "peak_rss_mib": census.peaks_mib(), "cpu_seconds": census.cpu_seconds()}, indent=1)
            + "\n"
        )
        for dag in STANDING_DAGS:
            airflow.unpause(dag)
    query = choose_query(settings, live_pointer(settings).generation)
    answer = first_answer(settings, query)
    console.print()
    console.print(slate_panel(answer, f"/recommend for {query}"))
    console.print(night_line(figures))
    console.print(places_table(places(settings, folders)), soft_wrap=True)


def run_night(airflow: AirflowApi, reports: Path, console: Console) -> dict[str, Any]:
    """A night through Airflow; its seconds, whole and by task."""
    begun = time.monotonic()
    with NightScreen(console) as screen:
        tasks = Night(airflow, reports, screen.show).run()
    return {
        "night_seconds": round(time.monotonic() - begun, 1),
        "task_seconds": {f"{task.dag}.{task.id}": round(task.seconds or 0.0, 1) for task in tasks},
    }


def live_pointer(settings: Settings) -> Pointer:
    client = connect(settings.redis.url, settings.redis.publish_timeout_seconds, settings.redis.cluster)
    return Reader(client, Keys(settings.redis.prefix)).pointer()


def night_line(figures: Path) -> str:
    """The last night's time and largest process, from the file that it left."""
    if not figures.exists():
        return ""
    night = json.loads(figures.read_text())
    label, peak = next(iter(night["peak_rss_mib"].items()), ("", 0))
    return f"[bold]The night took {night['night_seconds']:.0f} s.[/] Largest process: {label}, {peak / 1024:.1f} GiB."


def places(settings: Settings, folders: Folders) -> dict[str, str]:
    """Where a person looks next."""
    gateway = f"http://{settings.gateway.host}:{settings.gateway.port}"
    monitoring = settings.monitoring
    return {
        "Airflow": f"http://127.0.0.1:{settings.airflow.port}   (user admin, password {settings.airflow.password})",
        "API": f"{gateway}/openapi.json",
        "Monitor": f"{gateway}/monitor",
        "Metrics": f"{gateway}/metrics   http://{settings.ranker.host}:{settings.ranker.metrics_port}/metrics",
        "Prometheus": monitoring.prometheus_url if PROMETHEUS.path() else "not installed: objectives are UNKNOWN",
        "Alertmanager": monitoring.alertmanager_url if ALERTMANAGER.path() else "not installed",
        **({"MLflow": settings.registry.ui_url} if settings.registry.tracking_uri else {}),
        "Data Docs": (folders.project / settings.night.data_docs / "index.html").as_uri(),
        "Mails": f"http://127.0.0.1:{settings.mail.web_port}",
        "Logs": f"{folders.log.relative_to(folders.project)}/",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
