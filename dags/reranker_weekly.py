"""
### A new re-ranker, and whether it may serve

- `training_pairs` draws queries with candidates and labels, split by time
- `train` fine-tunes the teacher
- `prune` cuts what is worth least, recovers by distillation and exports FP16
- `evaluate` measures it on the test period, beside the baselines
- `gate` decides whether it may serve: not worse than the live model, nor than LambdaMART without text, and in time
- `encode_items` has it read the catalogue
- `approve`, where `PACE_GATE__REQUIRE_APPROVAL` is set, waits for a person's word
- `promote` makes it live, with a fresh generation

The form of *Trigger* sets the size of the run; it is filled with the settings. The button *MLflow run* of a task
opens the model's run.

#### When it fails

The model that is live stays live, and the gateway serves on. *Clear* the red task after mending what its mail names.
Should a promoted model turn out bad: trigger the DAG **rollback**, or `python -m jobs rollback --model`, for the one
before; `python -m jobs promote --none` serves the candidates in their own order.
"""

from datetime import timedelta

from airflow.sdk import DAG

from pacesetter_airflow.approval import approval, approval_wanted
from pacesetter_airflow.jobs import model_job, python_job, spark_job
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
    judged = (
        spark_job(
            "training_pairs",
            env=env,
            doc_md="No events of that day: import them first. Too few queries: widen train_days.",
        )
        >> model_job(
            "train",
            env=env,
            execution_timeout=timedelta(hours=12),
            doc_md="Killed: clear it, it goes on from its checkpoint. Out of memory: the reason names the settings to "
            "lower. A feature that is no number: mend what the reason names. "
            "Base model not found: PACE_TRAINING__BASE_MODEL names a local Hugging Face directory.",
        )
        >> model_job(
            "prune",
            env=env,
            execution_timeout=timedelta(hours=12),
            doc_md="student_layers, or a frontier's PACE_PRUNE__LAYERS, are more than the teacher has: lower them. "
            "Clear `train` if its checkpoint is gone.",
        )
        >> model_job(
            "evaluate",
            "--tasks",  # none but the one that the model learned: the others are a person's to ask for
            *("--baselines", "LambdaMART without text"),  # the gate compares with it
            env=env,
            execution_timeout=timedelta(hours=4),
            doc_md="The artifact does not load or does not score: the reason names the file. Clear `prune`.",
        )
        >> model_job(
            "gate",
            env=env,
            execution_timeout=timedelta(hours=4),
            doc_md="The model was refused, and the live one stays: the reason has the figures, and the record beside "
            "the evaluation every input. Worse: more sample_queries or train_days. Too slow: fewer student_layers. "
            "Only chance speaks against it: more test queries narrow the bounds.",
        )
        >> python_job(
            "encode_items", "--version", "evaluated", pre_execute=skip_unless_wanted, doc_md="As in candidates_daily."
        )
    )
    if approval_wanted():
        judged = judged >> approval(
            "approve", "Nobody answered in time: clear this task to ask again. The live model is unchanged."
        )
    judged >> model_job(
        "promote",
        pre_execute=skip_unless_wanted,
        doc_md="The gate's word is missing, or does not hold any more because another model went live: clear `gate`. "
        "The live model is unchanged.",
    )
