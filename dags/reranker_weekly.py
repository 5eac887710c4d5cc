"""
### A new re-ranker, and whether it may serve

- `training_pairs` draws queries with candidates and labels, split by time
- `train` fine-tunes the teacher
- `prune` cuts what is worth least, recovers by distillation and exports FP16
- `evaluate` measures it on the test period, beside the baselines
- `promote` makes it live

The form of *Trigger* sets the size of the run; it is filled with the settings.

#### When it fails

The model that is live stays live, and the gateway serves on. *Clear* the red task after mending what its mail names.
Should a promoted model turn out bad: `python -m jobs rollback --model` takes the one before, and
`python -m jobs promote --none` serves the candidates in their own order.
"""

from datetime import timedelta

from airflow.sdk import DAG

from pacesetter_airflow.jobs import python_job, spark_job
from pacesetter_airflow.mail import mail_timeout
from pacesetter_airflow.night import MACROS, at, date_param, task_defaults
from pacesetter_airflow.training_form import promote_param, skip_unless_wanted, training_env, training_params

with DAG(
    "reranker_weekly",
    doc_md=__doc__,
    schedule=at("0 4 * * 0"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=48),
    default_args=task_defaults(),
    on_failure_callback=[mail_timeout],
    user_defined_macros=MACROS,
    params={"date": date_param(), **training_params(), "promote": promote_param()},
    tags=["model"],
):
    env = training_env()
    (
        spark_job(
            "training_pairs",
            env=env,
            doc_md="No events of that day: import them first. Too few queries: widen train_days.",
        )
        >> python_job(
            "train",
            env=env,
            execution_timeout=timedelta(hours=12),
            doc_md="Killed: clear it, it goes on from its checkpoint. Out of memory: the reason names the settings to "
            "lower. A feature that is no number: mend what the reason names. "
            "Base model not found: PACE_TRAINING__BASE_MODEL names a local Hugging Face directory.",
        )
        >> python_job(
            "prune",
            env=env,
            execution_timeout=timedelta(hours=12),
            doc_md="student_layers, or a frontier's PACE_PRUNE__LAYERS, are more than the teacher has: lower them. "
            "Clear `train` if its checkpoint is gone.",
        )
        >> python_job(
            "evaluate",
            env=env,
            execution_timeout=timedelta(hours=4),
            doc_md="The artifact does not load or does not score: the reason names the file. Clear `prune`.",
        )
        >> python_job(
            "promote",
            pre_execute=skip_unless_wanted,
            doc_md="The artifact was refused, or another promotion came first: the reason says which. The live "
            "model is unchanged.",
        )
    )
