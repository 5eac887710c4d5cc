"""
### Back to the model or the generation before

*Trigger* it from the page of the DAG and choose what goes back; it moves the pointer, at once and for every gateway.
A second run flips forward again. The registry's alias `champion` follows.

#### When it fails

Nothing was moved. There may be nothing to go back to: generation N-2 has gone, or no model was live before. To serve
without a model, run `python -m jobs promote --none`.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param

from pacesetter_airflow.jobs import python_job
from pacesetter_airflow.mail import mail_timeout
from pacesetter_airflow.night import task_defaults

with DAG(
    "rollback",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=30),
    default_args={**task_defaults(), "execution_timeout": timedelta(minutes=5)},
    on_failure_callback=[mail_timeout],
    params={
        "what": Param(
            "model",
            enum=["model", "generation"],
            title="What",
            description="Which of the two goes back to the one before",
        )
    },
    tags=["serving"],
):
    python_job(
        "rollback",
        "{{ params.what }}",
        dated=False,
        doc_md="The reason says why nothing was moved: there is none before, Redis did not answer, or someone else "
        "moved the pointer at the same time: look what is live, then trigger again.",
    )
