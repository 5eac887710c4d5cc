"""Sets off the re-ranker's DAG where the drift verb says so."""

import json
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from pacesetter_airflow.home import project_settings
from pacesetter_airflow.night import NIGHT_DATE
from pacesetter_airflow.reports import report_path


class Retrain(TriggerDagRunOperator):
    """Triggers a DAG where the file `decision` says `retrain`, and skips itself with the file's reason elsewhere."""

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
                f"{self.decision}: no decision of the drift job ({error}); clear that task"
            ) from error
        if wanted is not True:
            raise AirflowSkipException(f"no training: {why}")
        self.log.info("training is set off: %s", why)
        return super().execute(context)


def decision_path() -> str:
    """Where the drift job leaves its decision for the task after it; a template."""
    path = report_path(project_settings(), "{{ dag.dag_id }}", "{{ run_id }}", "decision")
    return str(path.with_suffix(".json"))


def retrain(task_id: str, dag_id: str, **task: Any) -> Retrain:
    """The task that triggers `dag_id` for the night's date, once for each run of its own DAG."""
    return Retrain(
        task_id=task_id,
        decision=decision_path(),
        trigger_dag_id=dag_id,
        trigger_run_id="drift__{{ run_id }}",
        conf={"date": NIGHT_DATE},
        skip_when_already_exists=True,
        **task,
    )
