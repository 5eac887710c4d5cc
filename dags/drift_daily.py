"""
### Has the data moved away from the live model?

- `drift` compares the newest day with the one that the live model was trained for: features, scores, the catalogue
- `retrain` sets off **reranker_weekly** where that is past the bounds of the section `drift` of the settings, and is
  skipped, with the reason in its log, where it is not

It starts when **candidates_daily** has published a generation (the asset `generation`), and nothing waits for it. The
record of each day, with the decision and its reason, lies in the folder `drift` beside the models.

#### When it fails

What is served is not touched: the model stays, and reranker_weekly still trains on Sundays. *Clear* the red task after
mending what its mail names.
"""

from datetime import timedelta

from airflow.sdk import DAG

from pacesetter_airflow.jobs import python_job
from pacesetter_airflow.mail import mail_timeout
from pacesetter_airflow.night import GENERATION, MACROS, NIGHT_DATE, date_param, task_defaults
from pacesetter_airflow.retraining import decision_path, retrain

with DAG(
    "drift_daily",
    doc_md=__doc__,
    schedule=[GENERATION],
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    default_args=task_defaults(),
    on_failure_callback=[mail_timeout],
    user_defined_macros=MACROS,
    params={"date": date_param()},
    tags=["model"],
):
    (
        python_job(
            "drift",
            *("--decision", decision_path()),
            doc_md="No features of that day: run features_daily for it. The model does not load: the reason names "
            "the file; roll the model back.",
        )
        >> retrain(
            "retrain",
            "reranker_weekly",
            by="drift",
            conf={"date": NIGHT_DATE},
            execution_timeout=timedelta(minutes=5),
            doc_md="No decision: clear the task `drift`. reranker_weekly cannot be triggered: is it there, and does "
            "it import?",
        )
    )
