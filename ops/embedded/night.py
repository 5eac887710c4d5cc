"""Drives one night through Airflow: features, then the candidates that they set off and the re-ranker beside them.

Training makes its pairs from the events of earlier days, so it needs nothing of tonight's candidates.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from contract.errors import PacesetterError
from ops.embedded.airflow_api import ACTIVE, AirflowApi, Run, Task

# In the order of the night. `candidates_daily` is started by the asset that features_daily writes.
FEATURES, CANDIDATES, RERANKER = NIGHT_DAGS = ("features_daily", "candidates_daily", "reranker_weekly")
STANDING_DAGS = ("sla_check", "rollback")
POLL_SECONDS = 1.0
PARSE_SECONDS = 180.0
ASSET_SECONDS = 120.0
LOG_LINES = 30


class NightFailed(PacesetterError):
    """A run of the night failed; the text names the task, why, and ends with its log."""


class Night:
    """One night. `on_change(tasks)` is called at every poll with all tasks known so far."""

    def __init__(self, airflow: AirflowApi, reports: Path, on_change: Callable[[list[Task]], None]) -> None:
        self._airflow = airflow
        self._reports = reports
        self._on_change = on_change
        self._done: list[Task] = []

    def run(self) -> list[Task]:
        """Run the night to its end. Raises NightFailed."""
        self.wait_for_dags()
        self.end_open_runs()
        earlier = {run.id for run in self._airflow.runs(CANDIDATES)}
        self._airflow.unpause(CANDIDATES)
        self._airflow.unpause(FEATURES)
        self._follow(self._airflow.trigger(FEATURES))
        candidates = self._new_run(CANDIDATES, earlier)
        self._airflow.unpause(RERANKER)
        self._follow(candidates, self._airflow.trigger(RERANKER))
        return self._done

    def wait_for_dags(self) -> None:
        """Until every DAG is parsed. Raises NightFailed with the errors of those that cannot be imported."""
        wanted = {*NIGHT_DAGS, *STANDING_DAGS}
        deadline = time.monotonic() + PARSE_SECONDS
        while not wanted <= self._airflow.dag_ids():
            if errors := self._airflow.import_errors():
                raise NightFailed("Airflow cannot import the DAGs:\n" + "\n".join(errors))
            if time.monotonic() > deadline:
                raise NightFailed(f"Airflow has not parsed the DAGs after {PARSE_SECONDS:.0f} s: see airflow-dags.log")
            time.sleep(POLL_SECONDS)

    def end_open_runs(self) -> None:
        """Runs that an earlier demo was stopped in would hold up ours: each DAG runs once at a time."""
        for dag in NIGHT_DAGS:
            for run in self._airflow.runs(dag):
                if run.state in ACTIVE:
                    self._airflow.fail(run)

    def _new_run(self, dag: str, earlier: set[str]) -> Run:
        deadline = time.monotonic() + ASSET_SECONDS
        while time.monotonic() < deadline:
            for run in self._airflow.runs(dag):
                if run.id not in earlier:
                    return run
            self._on_change(self._done)
            time.sleep(POLL_SECONDS)
        raise NightFailed(f"{dag} was not started by its asset within {ASSET_SECONDS:.0f} s: see airflow-scheduler.log")

    def _follow(self, *runs: Run) -> None:
        """Until every run succeeded. Raises NightFailed."""
        orders = {run.dag: self._airflow.task_order(run.dag) for run in runs}
        while True:
            # A run is looked at before its tasks: what has ended by then is among them.
            runs = tuple(self._airflow.run(run.dag, run.id) for run in runs)
            now = datetime.now(UTC)
            tasks = []
            for run in runs:
                order = orders[run.dag]
                of_run = sorted(self._airflow.tasks(run, now), key=lambda task: order.index(task.id))
                if run.state not in (*ACTIVE, "success"):
                    raise NightFailed(self._why(run, of_run))
                tasks += of_run
            self._on_change([*self._done, *tasks])
            if all(run.state == "success" for run in runs):
                self._done += tasks
                return
            time.sleep(POLL_SECONDS)

    def _why(self, run: Run, tasks: list[Task]) -> str:
        failed = next((task for task in tasks if task.state == "failed"), None)
        if failed is None:
            return f"{run.dag} ended as {run.state!r} without a failed task: see airflow-scheduler.log"
        report = self._reports / run.dag / run.id / f"{failed.id}.txt"
        reason = report.read_text(errors="replace").strip() if report.is_file() else "it left no reason"
        log = "\n".join(self._airflow.log(run, failed).splitlines()[-LOG_LINES:])
        return f"{run.dag}.{failed.id} failed: {reason}\n\nThe end of its log:\n{log}"
