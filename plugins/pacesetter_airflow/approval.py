"""A person's word before a model goes live."""

from datetime import timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator

from pacesetter_airflow.home import project_settings
from pacesetter_airflow.training_form import skip_unless_wanted

# Who is asked on a Sunday may answer on Monday; the DAG's own time goes on meanwhile.
ANSWER_WITHIN = timedelta(hours=30)


def approval_wanted() -> bool:
    return project_settings().gate.require_approval


def approval(task_id: str, doc_md: str) -> ApprovalOperator:
    """Waits under *Required Actions*; a rejection skips what follows, no answer fails the task.

    Not tried again: it would ask, and wait, once more.
    """
    return ApprovalOperator(
        task_id=task_id,
        subject="Promote the model of {{ dag.dag_id }}, run {{ run_id }}?",
        body="The gate admitted it: the log of the task `gate` shows by what figures, and its button MLflow run the "
        "whole evaluation. *Reject* leaves the live model.",
        pre_execute=skip_unless_wanted,
        retries=0,
        execution_timeout=None,
        response_timeout=ANSWER_WITHIN,
        doc_md=doc_md,
    )
