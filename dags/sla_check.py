"""
### Are the objectives held?

Every quarter of an hour the objectives of `ops/slo.yaml` (latency, levels, errors, freshness, quality) are asked of
Prometheus. The task is green only if each one is OK; its log and the mail show value, bound and verdict.

#### When it fails

- `MISS` is a number beyond its bound; it fails at once. Generation too old: look for the red task in features_daily or
  candidates_daily. Latency, levels or errors: look at `/monitor.json` of the gateway for the stage that grew.
- `UNKNOWN` is no number at all, and no good news: Prometheus does not answer, scrapes nothing, or nobody asked the
  gateway for anything in the window. It is asked once more before it fails.
"""

from datetime import timedelta

from airflow.sdk import DAG

from pacesetter_airflow.mail import mail_timeout
from pacesetter_airflow.night import at, task_defaults
from pacesetter_airflow.slo_check import slo_check

with DAG(
    "sla_check",
    doc_md=__doc__,
    schedule=at("*/15 * * * *"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=14),
    default_args=task_defaults(),
    on_failure_callback=[mail_timeout],
    tags=["objectives"],
):
    slo_check(
        "judge_objectives",
        execution_timeout=timedelta(minutes=2),
        retries=1,
        doc_md="MISS: find the stage or the red task behind the number (see the DAG's description). UNKNOWN: see "
        "whether Prometheus answers and its targets are up. To change an objective, edit ops/slo.yaml.",
    )
