"""
### The day's events become features

- `import_night` brings new events and items into the lake
- `import_impressions` brings what the gateway showed; a failure of it holds nothing up
- `validate_events` checks them
- `features` computes the features of users and items
- `validate_features` checks those and, through the asset `features`, starts **candidates_daily**

#### When it fails

Nothing that is served changes: the generation of the day before stays live. Read the mail or the log of the red task.
Rows that cannot be used are in the lake's quarantine, each with its reason; a failed check is shown with sample values
in the Data Docs. Mend the data or the expectation, then *Clear* the red task: every task replaces its own day, so a
rerun does no harm.
"""

from datetime import timedelta

from airflow.sdk import DAG

from pacesetter_airflow.jobs import spark_job
from pacesetter_airflow.lateness import late_alert
from pacesetter_airflow.mail import mail_timeout
from pacesetter_airflow.night import FEATURES, MACROS, at, date_param, task_defaults

with DAG(
    "features_daily",
    doc_md=__doc__,
    schedule=at("0 2 * * *"),
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
    imported = spark_job(
        "import_night",
        doc_md="Look at the file and the row that the reason names. A bad file leaves the tables as they were: "
        "mend or remove it, then clear this task. Importing the same file twice changes nothing.",
    )
    shown = spark_job(
        "import_impressions",
        doc_md="The events instance did not answer: bring it back at PACE_EVENTS__URL. The night went on without the "
        "new slates, and none is lost: clear this task, or let the next night bring them.",
    )
    validated = spark_job(
        "validate",
        *("--suite", "events", "--suite", "items"),
        task_id="validate_events",
        # The import decides; slates that come a night later only make their shares older.
        trigger_rule="all_done_min_one_success",
        doc_md="Open the Data Docs for the failed expectation and its sample values. Mend the source and import "
        "again, or change the suite in jobs/checks if the data is right; then clear this task.",
    )
    imported >> shown
    (
        [imported, shown]
        >> validated
        >> spark_job(
            "features",
            doc_md="Out of memory: raise PACE_AIRFLOW__SPARK_DRIVER_MEMORY, or point the connection spark_default to a "
            "cluster. Then clear this task: it replaces its own day.",
        )
        >> spark_job(
            "validate",
            *("--suite", "features"),
            task_id="validate_features",
            outlets=[FEATURES],
            doc_md="The features do not hold what the serving side relies on. Compare with the day before in the Data "
            "Docs; mend the cause in jobs/features or in the events, then clear the task `features`.",
        )
    )
