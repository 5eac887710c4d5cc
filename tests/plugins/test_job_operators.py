"""What a job's failure does to its task: tried again, or failed for good with the job's own words."""

from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from pacesetter_airflow.jobs import PythonJob

REFUSAL = "ValidationFailed: 1 expectation does not hold"


@pytest.fixture
def job(tmp_path: Path) -> Any:
    """Makes a task that runs a shell script in the project's home, with $REPORT as its report."""
    (tmp_path / "home").mkdir()
    report = tmp_path / "report.txt"

    def make(script: str, *arguments: str, **task: Any) -> PythonJob:
        return PythonJob(
            task_id="job",
            command=["/bin/sh", "-c", script, "sh", *arguments],
            env={"REPORT": str(report)},
            home=str(tmp_path / "home"),
            report=str(report),
            night_date="2011-11-20",
            **task,
        )

    return make


def run(task: PythonJob) -> dict[Any, Any]:
    """Executes `task`; returns the outlet events."""
    events: dict[Any, Any] = defaultdict(SimpleNamespace)
    task.execute({"outlet_events": events})
    return events


def test_a_refusal_that_no_attempt_can_cure_fails_for_good(job: Any) -> None:
    with pytest.raises(AirflowFailException, match=REFUSAL):
        run(job(f'echo "{REFUSAL}" > "$REPORT"; exit 1'))


@pytest.mark.parametrize(
    "reason", ["StoreUnreachable: redis does not answer", "PublishRefused: another came first", "OSError: disk full"]
)
def test_what_may_pass_is_tried_again(job: Any, reason: str) -> None:
    with pytest.raises(AirflowException) as failure:
        run(job(f'echo "{reason}" > "$REPORT"; exit 1'))
    assert not isinstance(failure.value, AirflowFailException)


def test_a_job_that_is_killed_is_not_judged_by_the_report_of_the_attempt_before(job: Any) -> None:
    with pytest.raises(AirflowFailException):
        run(job(f'echo "{REFUSAL}" > "$REPORT"; exit 1'))
    with pytest.raises(AirflowException, match="exit status -9") as failure:
        run(job("kill -9 $$"))
    assert not isinstance(failure.value, AirflowFailException)


def test_a_job_runs_in_the_home_of_the_project(job: Any, tmp_path: Path) -> None:
    run(job("pwd > where"))
    assert (tmp_path / "home" / "where").read_text().strip() == str(tmp_path / "home")


def test_a_value_of_the_form_stays_one_argument(job: Any, tmp_path: Path) -> None:
    run(job('printf %s "$1" > value', "latest; echo 'mine' > $HOME/x `id`"))
    assert (tmp_path / "home" / "value").read_text() == "latest; echo 'mine' > $HOME/x `id`"


def test_the_date_goes_on_with_the_asset(job: Any) -> None:
    asset = Asset("features")
    assert run(job("true", outlets=[asset]))[asset].extra == {"date": "2011-11-20"}
