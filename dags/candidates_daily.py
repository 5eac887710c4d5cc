"""
### Features become candidates, and a new generation is served

- `candidates` merges the lists of every source, per user, per item and per segment
- `validate_candidates` checks them
- `encode_items` has the live model read the texts that are new to it
- `publish` writes generation N beside N-1 into Redis, verifies it, and flips the pointer

It starts when **features_daily** has written the asset `features`, for the same date.

#### When it fails

The generation that is live stays live, whichever task is red. *Clear* the red task after mending what its mail names;
a half-written generation is never served and goes by itself. To go back to the generation before a bad one, run
`python -m jobs rollback`.
"""

from datetime import timedelta

from airflow.sdk import DAG

from pacesetter_airflow.jobs import python_job, spark_job
from pacesetter_airflow.lateness import late_alert
from pacesetter_airflow.mail import mail_timeout
from pacesetter_airflow.night import FEATURES, GENERATION, MACROS, date_param, task_defaults

with DAG(
    "candidates_daily",
    doc_md=__doc__,
    schedule=[FEATURES],
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=24),
    default_args=task_defaults(),
    on_failure_callback=[mail_timeout],
    deadline=late_alert(),
    user_defined_macros=MACROS,
    params={"date": date_param()},
    tags=["night"],
):
    (
        spark_job(
            "candidates",
            execution_timeout=timedelta(hours=4),
            doc_md="Out of memory: raise PACE_AIRFLOW__SPARK_DRIVER_MEMORY, or point the connection spark_default to a "
            "cluster. No features of that day: run features_daily for it first.",
        )
        >> spark_job(
            "validate",
            *("--suite", "candidates"),
            task_id="validate_candidates",
            doc_md="Open the Data Docs: lists that are empty, too short or out of order must not be served. Mend the "
            "source in jobs/candidates, or its quota, then clear the task `candidates`.",
        )
        >> python_job(
            "encode_items",
            doc_md="The live model does not load: the reason names the file; copy it again, or promote another. Slow: "
            "only what is new is read, and all of it after a forced promotion; PACE_NIGHT__SPARK_TEXTS.",
        )
        >> python_job(
            "publish",
            outlets=[GENERATION],
            doc_md="Redis unreachable or full: look at its memory, then clear this task; it starts a new generation. "
            "Verification failed: what is in Redis is not what was written; do not flip by hand. A later day is live: "
            "a backfill stops here, its tables are written.",
        )
    )
