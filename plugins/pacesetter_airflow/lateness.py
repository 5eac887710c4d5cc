"""A mail for a run that has not ended by its deadline. It may still run, wait, or have failed: the mail says which."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback

from pacesetter_airflow.home import airflow_url, project_settings
from pacesetter_airflow.mail_page import Page, Row, as_mail
from pacesetter_airflow.post import post


def late_alert() -> DeadlineAlert:
    """`deadline=` of a DAG: `airflow.late_after_minutes` of the settings after a run was queued.

    Airflow calls back once a run, in the executor; a run that succeeds before is never late.
    """
    minutes = project_settings().airflow.late_after_minutes
    return DeadlineAlert(
        name="late",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=minutes),
        callback=SyncCallback(mail_late, kwargs={"minutes": minutes}),
    )


def mail_late(context: dict[str, Any], minutes: float) -> None:
    """`context` has the run as Airflow's API writes it, times as texts. Raises NotSent or Undecided."""
    settings, run = project_settings(), context["dag_run"]
    queued = datetime.fromisoformat(run["queued_at"]).astimezone(UTC)
    page = Page(
        f"{run['dag_id']} is late",
        "What was live stays live: users see the generation of the day before.",
        [
            Row("Run", run["dag_run_id"]),
            Row("Queued", f"{queued:%Y-%m-%d %H:%M} UTC"),
            Row("Late since", f"{queued + timedelta(minutes=minutes):%Y-%m-%d %H:%M} UTC, {minutes:g} minutes later"),
            Row("State", str(run["state"])),
        ],
        links=[
            Row("Airflow", f"{airflow_url()}/dags/{run['dag_id']}/runs/{quote(run['dag_run_id'], safe='')}"),
            Row("What to do", f"{settings.monitoring.runbook_url.rstrip('/')}/dags.md#{run['dag_id']}"),
        ],
    )
    post(as_mail(page, settings.mail.sender, settings.mail.to, datetime.now(UTC)))
