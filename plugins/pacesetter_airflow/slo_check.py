"""The tasks of sla_check: which objectives there are, a verdict on each, and what is remembered and mailed of them."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from contract.slo import Verdict, read_slo
from pacesetter_airflow.home import project_home, project_settings
from pacesetter_airflow.mail import mail_failure
from pacesetter_airflow.objectives.prometheus import Prometheus
from pacesetter_airflow.objectives.verdicts import judged

# What a task instance leaves for the task that tells.
RECORD = "record"


class Missed(AirflowFailException):
    """The objective is missed: the task is red at once."""


class Unknown(AirflowException):
    """Nobody knows whether the objective is kept: the task is tried again, then red."""


class ListObjectives(BaseOperator):
    """The names of the objectives in the file `objectives`, read at run time. Raises BadInput for a mistake in it."""

    template_fields: Sequence[str] = ("objectives",)

    def __init__(self, *, objectives: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.objectives = objectives

    def execute(self, context: Any) -> list[str]:
        return [objective.name for objective in read_slo(Path(self.objectives)).objectives]


class SloCheck(BaseOperator):
    """Judges the objective named `objective` by the Prometheus at `prometheus_url`; green only where it is kept."""

    template_fields: Sequence[str] = ("objective", "objectives", "prometheus_url")

    def __init__(
        self,
        *,
        objective: str,
        objectives: str,
        prometheus_url: str,
        patience_seconds: float,
        stale_after_seconds: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.objective = objective
        self.objectives = objectives
        self.prometheus_url = prometheus_url
        self.patience_seconds = patience_seconds
        self.stale_after_seconds = stale_after_seconds

    def execute(self, context: Any) -> None:
        """Raises Missed or Unknown, after the verdict has been left for the task that tells."""
        slo = read_slo(Path(self.objectives))
        found = [objective for objective in slo.objectives if objective.name == self.objective]
        if not found:
            raise AirflowFailException(f"{self.objectives}: {self.objective} was removed while the run went on")
        prometheus = Prometheus(self.prometheus_url, self.patience_seconds)
        record = judged(slo, found[0], prometheus, time.time(), self.stale_after_seconds, context["run_id"])
        context["ti"].xcom_push(key=RECORD, value=record.as_json())
        told = f"{record.verdict}: {record.objective}: {record.why} ({record.promised} is promised)"
        self.log.info("%s\n%s", told, record.description)
        if record.missed:
            raise Missed(told)
        if record.verdict != Verdict.OK:
            raise Unknown(told)


def mail_unless_judged(context: Any) -> None:
    """`on_failure_callback` of a verdict's task: a MISS is told once an episode, by the task that follows."""
    if not isinstance(context.get("exception"), Missed | Unknown):
        mail_failure(context)


def list_objectives(task_id: str, **task: Any) -> ListObjectives:
    """The task that names the objectives of the file in the settings."""
    return ListObjectives(task_id=task_id, objectives=_objectives(), **task)


def slo_checks(task_id: str, names: ListObjectives, **task: Any) -> MappedOperator:
    """A task instance for each of `names`, shown by that name."""
    monitoring = project_settings().monitoring
    return SloCheck.partial(
        task_id=task_id,
        objectives=_objectives(),
        prometheus_url=monitoring.prometheus_url,
        patience_seconds=monitoring.patience_seconds,
        stale_after_seconds=monitoring.stale_after_seconds,
        map_index_template="{{ task.objective }}",
        on_failure_callback=[mail_unless_judged],
        **task,
    ).expand(objective=names.output)


def _objectives() -> str:
    return str(project_home() / project_settings().monitoring.objectives)
