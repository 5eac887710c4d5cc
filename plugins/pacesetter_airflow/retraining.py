"""Sets off the re-ranker's DAG where a decision says so: that of the drift verb, or of sla_check."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from pacesetter_airflow.home import project_settings
from pacesetter_airflow.reports import report_path


class Retrain(TriggerDagRunOperator):
    """Triggers a DAG where the file `decision` says `retrain`, and skips itself with the file's reason elsewhere.

    The run's conf has the reason as its `cause`.
    """

    template_fields = (*TriggerDagRunOperator.template_fields, "decision")

    def __init__(self, *, decision: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.decision = decision

    def execute(self, context: Any) -> Any:
        """Raises AirflowSkipException for a decision against it, AirflowException where there is no decision."""
        try:
            found = json.loads(Path(self.decision).read_bytes())
            wanted, why = found["retrain"], found["why"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AirflowException(
                f"{self.decision}: no decision of the task before ({error}); clear that task"
            ) from error
        if wanted is not True:
            raise AirflowSkipException(f"no training: {why}")
        self.log.info("training is set off: %s", why)
        self.conf = {**(self.conf or {}), "cause": why}
        return super().execute(context)


def decision_path() -> str:
    """Where a task leaves its decision for the task after it; a template."""
    path = report_path(project_settings(), "{{ dag.dag_id }}", "{{ run_id }}", "decision")
    return str(path.with_suffix(".json"))


def retrain(task_id: str, dag_id: str, by: str, conf: Mapping[str, Any] | None = None, **task: Any) -> Retrain:
    """The task that triggers `dag_id`, once for each run of its own DAG. `by` begins the id of the run."""
    return Retrain(
        task_id=task_id,
        decision=decision_path(),
        trigger_dag_id=dag_id,
        trigger_run_id=f"{by}__{{{{ run_id }}}}",
        conf=dict(conf or {}),
        skip_when_already_exists=True,
        **task,
    )
