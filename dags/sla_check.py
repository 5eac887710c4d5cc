"""
### Are the objectives held?

Every quarter of an hour each objective of `ops/slo.yaml` is asked of Prometheus.

- `objectives` reads their names
- `judge` has an instance for each, under its name: green only if the verdict is OK; its log has value and bound
- `tell` keeps the verdicts in the lake's table `slo_verdicts`, and mails: a miss once, when it begins, and once when it
  is over. UNKNOWN neither begins nor ends one. That Prometheus itself is away is mailed in the same way
- `all_kept` is there for the run to be red while an objective is
- `retrain`, where `PACE_MONITORING__RETRAIN_AFTER_MISSES` is set, has a new model trained where a miss lasts

#### When it fails

- `MISS` is a number beyond its bound; it fails at once. The mail says which stage grew; the runbook has a page of each.
- `UNKNOWN` is no number at all, or one of old or partial data, and no good news: its log says why. It is asked once
  more before it fails.
- `tell`: the mail server is away. The mail goes out with the next run at the latest, once.
"""

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from pacesetter_airflow.mail import mail_timeout
from pacesetter_airflow.night import at, task_defaults
from pacesetter_airflow.retraining import retrain
from pacesetter_airflow.slo_check import list_objectives, slo_checks
from pacesetter_airflow.slo_mails import retraining_wanted, slo_mails

with DAG(
    "sla_check",
    doc_md=__doc__,
    schedule=at("*/15 * * * *"),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(minutes=14),
    default_args={**task_defaults(), "execution_timeout": timedelta(minutes=2)},
    on_failure_callback=[mail_timeout],
    tags=["objectives"],
):
    names = list_objectives("objectives", doc_md="The reason names the line of ops/slo.yaml and a fix.")
    judge = slo_checks(
        "judge",
        names,
        retries=1,
        doc_md="MISS: find the stage or the red task behind the number (see the DAG's description). UNKNOWN: see "
        "whether Prometheus answers and its targets are up. To change an objective, edit ops/slo.yaml.",
    )
    judge >> EmptyOperator(task_id="all_kept", doc_md="Nothing runs here: look at the red instance of `judge`.")
    tell = judge >> slo_mails(
        "tell",
        names="objectives",
        judge="judge",
        execution_timeout=timedelta(minutes=5),
        doc_md="The mail server does not answer: mend it, or the connection smtp_default, then clear this task; the "
        "next run sends what is left, too. The lake cannot be written: the reason names the file.",
    )
    if retraining_wanted():
        tell >> retrain(
            "retrain",
            "reranker_weekly",
            by="sla",
            trigger_rule="all_done",  # the decision stands, though a mail may not have gone out
            doc_md="No decision: clear `tell`. reranker_weekly cannot be triggered: is it there, and does it import?",
        )
