"""The few calls of Airflow's REST API v2 that the demo makes."""

from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from contract.errors import PacesetterError

TIMEOUT_SECONDS = 60.0  # two cores that train and query at once leave the API little
# What only reads or sets is asked again while the supervisor restarts the API; a trigger is not sent twice.
RETRIES = Retry(total=6, backoff_factor=1.0, allowed_methods={"GET", "PATCH"}, status_forcelist=(502, 503, 504))
ACTIVE = ("queued", "running")


class AirflowRefused(PacesetterError):
    """Airflow answered a call with an error."""


class Run(NamedTuple):
    dag: str
    id: str
    state: str


class Task(NamedTuple):
    """One task of a run. `seconds` is the time it has run so far, None before its start."""

    dag: str
    id: str
    state: str
    seconds: float | None
    attempt: int


class AirflowApi:
    """Speaks to the Airflow at `url` as `admin`. Every call raises AirflowRefused, or OSError when nobody answers."""

    def __init__(self, url: str, password: str) -> None:
        self._url = url.rstrip("/")
        self._password = password
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy has no business on loopback
        self._session.mount("http://", HTTPAdapter(max_retries=RETRIES))

    def log_in(self) -> None:
        token = self._call("POST", "/auth/token", {"username": "admin", "password": self._password})
        self._session.headers["Authorization"] = f"Bearer {token['access_token']}"

    def health(self) -> dict[str, str | None]:
        """Status by component: `healthy`, `unhealthy`, or None for one that has never run."""
        return {name: part["status"] for name, part in self._call("GET", "/api/v2/monitor/health").items()}

    def dag_ids(self) -> set[str]:
        """The DAGs that were parsed so far."""
        return {dag["dag_id"] for dag in self._call("GET", "/api/v2/dags?limit=100")["dags"]}

    def import_errors(self) -> list[str]:
        errors = self._call("GET", "/api/v2/importErrors")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace']}" for error in errors]

    def unpause(self, dag: str) -> None:
        self._call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})

    def trigger(self, dag: str) -> Run:
        answer = self._call("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None, "conf": {}})
        return Run(dag, answer["dag_run_id"], answer["state"])

    def runs(self, dag: str) -> list[Run]:
        """The last hundred runs, newest first."""
        answer = self._call("GET", f"/api/v2/dags/{dag}/dagRuns?order_by=-id&limit=100")
        return [Run(dag, run["dag_run_id"], run["state"]) for run in answer["dag_runs"]]

    def run(self, dag: str, run_id: str) -> Run:
        answer = self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{run_id}")
        return Run(dag, run_id, answer["state"])

    def fail(self, run: Run) -> None:
        """Mark a run as failed, so that it neither goes on nor holds up the next."""
        self._call("PATCH", f"/api/v2/dags/{run.dag}/dagRuns/{run.id}", {"state": "failed"})

    def task_order(self, dag: str) -> list[str]:
        """The DAG's tasks, each after those that it waits for."""
        tasks = self._call("GET", f"/api/v2/dags/{dag}/tasks")["tasks"]
        sorter: TopologicalSorter[str] = TopologicalSorter()
        for task in tasks:
            sorter.add(task["task_id"])
            for follower in task["downstream_task_ids"]:
                sorter.add(follower, task["task_id"])
        return list(sorter.static_order())

    def tasks(self, run: Run, now: datetime) -> list[Task]:
        answer = self._call("GET", f"/api/v2/dags/{run.dag}/dagRuns/{run.id}/taskInstances?limit=100")
        return [
            Task(
                run.dag,
                task["task_id"],
                task["state"] or "waiting",
                seconds_between(task["start_date"], task["end_date"], now),
                task["try_number"],
            )
            for task in answer["task_instances"]
        ]

    def log(self, run: Run, task: Task) -> str:
        """The text of the log of a task's last attempt."""
        path = f"/api/v2/dags/{run.dag}/dagRuns/{run.id}/taskInstances/{task.id}/logs/{task.attempt}"
        content = self._call("GET", f"{path}?full_content=true")["content"]
        return "\n".join(line["event"] if isinstance(line, dict) else str(line) for line in content)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, self._url + path, json=body, timeout=TIMEOUT_SECONDS)
        if not answer.ok:
            raise AirflowRefused(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


def seconds_between(start: str | None, end: str | None, now: datetime) -> float | None:
    if start is None:
        return None
    until = datetime.fromisoformat(end) if end else now
    return max(0.0, (until - datetime.fromisoformat(start)).total_seconds())
