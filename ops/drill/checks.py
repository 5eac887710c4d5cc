"""sla_check, run by Airflow every quarter of a minute: of an hour in production."""

import threading
import time
from collections.abc import Callable

import requests

from ops.drill.stack import DAG
from ops.embedded.airflow_api import ACTIVE, AirflowApi, AirflowRefused

EVERY_SECONDS = 15.0
LOOK_SECONDS = 1.0


class Checks:
    """Triggers the runs, one at a time, from a thread of its own, while the block is entered.

    `ended` is told the state of each run and its seconds, or what Airflow refused.
    """

    def __init__(self, airflow: AirflowApi, ended: Callable[[str, float], None]) -> None:
        self._airflow = airflow
        self._ended = ended
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="checks", daemon=True)

    def __enter__(self) -> "Checks":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _repeat(self) -> None:
        began = time.monotonic() - EVERY_SECONDS
        while not self._stopping.wait(max(0.0, began + EVERY_SECONDS - time.monotonic())):
            began = time.monotonic()
            try:
                state = self._run()
            except (AirflowRefused, requests.RequestException) as error:
                state = f"not run: {error}"
            if state:
                self._ended(state, time.monotonic() - began)

    def _run(self) -> str:
        """The state that a run ended in; empty where the drill ended first."""
        run = self._airflow.trigger(DAG)
        while run.state in ACTIVE:
            if self._stopping.wait(LOOK_SECONDS):
                return ""
            run = self._airflow.run(DAG, run.id)
        return run.state
