"""What every DAG of the night shares: retries, timeouts, the failure mail, the form's date, the assets' date."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, CronTriggerTimetable, Param

from pacesetter_airflow.home import project_settings
from pacesetter_airflow.mail import mail_failure

FEATURES = Asset("features")  # the user and item features of a day are valid
GENERATION = Asset("generation")  # a new generation is live

# The night's date: handed on by the asset that triggered the run, else the form's. Needs MACROS in the DAG.
NIGHT_DATE = "{{ night_date(params, triggering_asset_events) }}"


def night_date(params: Mapping[str, Any], asset_events: Mapping[Any, Any]) -> str:
    """The date of the newest asset event that names one; else `params.date`."""
    dates = [event.extra["date"] for events in asset_events.values() for event in events if event.extra.get("date")]
    return str(dates[-1] if dates else params["date"])


MACROS = {"night_date": night_date}


def at(cron: str) -> CronTriggerTimetable:
    """A schedule in UTC for a DAG without a start_date: only times to come, so that unpausing it starts no run."""
    # timedelta(0) and not False, which takes the last time too if that is less than a tenth of the gap ago.
    return CronTriggerTimetable(cron, timezone="UTC", run_immediately=timedelta(0))


def date_param() -> Param:
    """The form's date, by default `night.date` of the settings."""
    return Param(
        project_settings().night.date,
        type="string",
        pattern=r"^(latest|\d{4}-\d{2}-\d{2})$",
        title="Date",
        description="Day the night is run for: YYYY-MM-DD, or latest (the last day that has events)",
    )


def task_defaults() -> dict[str, Any]:
    """`default_args`: every task is tried again, is ended when it hangs, and mails when it has failed for good."""
    airflow = project_settings().airflow
    return {
        "owner": "pacesetter",
        "retries": airflow.retries,
        "retry_delay": timedelta(seconds=airflow.retry_delay_seconds),
        "execution_timeout": timedelta(hours=2),
        "on_failure_callback": [mail_failure],
    }
