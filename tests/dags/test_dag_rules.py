"""What every DAG owes to those who are on call."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.airflow_sandbox import PROJECT

DAGS = ("candidates_daily", "drift_daily", "features_daily", "reranker_weekly", "rollback", "sla_check")
HEAVY = ("mlflow", "pyarrow", "pyspark", "torch", "transformers", "pandas", "redis", "jobs", "online", "reranker")


@pytest.fixture(params=DAGS)
def dag(request: pytest.FixtureRequest, dags: dict[str, Any]) -> Any:
    return dags[request.param]


def test_there_is_no_dag_without_rules(dags: dict[str, Any]) -> None:
    assert sorted(dags) == list(DAGS)


def test_a_dag_says_what_it_does_and_what_to_do_when_it_fails(dag: Any) -> None:
    assert dag.tags
    assert dag.doc_md.strip().startswith("### ")
    assert "\n#### When it fails\n" in dag.doc_md
    for task in dag.tasks:
        assert task.doc_md, f"{task.task_id} does not say what to do when it fails"


def test_a_dag_runs_once_at_a_time_and_not_for_ever(dag: Any) -> None:
    assert dag.max_active_runs == 1
    assert dag.catchup is False
    assert dag.dagrun_timeout
    assert [callback.__name__ for callback in dag.on_failure_callback] == ["mail_timeout"]


def test_every_task_is_tried_again_is_ended_when_it_hangs_and_mails(dag: Any) -> None:
    for task in dag.tasks:
        assert task.retries >= 1, task.task_id
        assert timedelta(0) < task.retry_delay <= timedelta(minutes=5), task.task_id
        assert timedelta(0) < task.execution_timeout <= dag.dagrun_timeout, task.task_id
        # A verdict is told once an episode, by the task after it.
        mails = "mail_unless_judged" if task.task_id == "judge" else "mail_failure"
        assert [callback.__name__ for callback in task.on_failure_callback] == [mails], task.task_id


def test_unpausing_a_dag_starts_no_run_of_a_time_gone_by(dag: Any) -> None:
    # One runs when the features are there, one when a generation is live, one by hand.
    if dag.dag_id not in ("candidates_daily", "drift_daily", "rollback"):
        assert dag.start_date is None
        assert dag.timetable.run_immediately == timedelta(0)


def test_a_dag_file_stays_short(dag: Any) -> None:
    assert len(Path(dag.fileloc).read_text().splitlines()) < 100


def test_parsing_the_dags_imports_no_heavy_module() -> None:
    """In a process of its own: other tests of this run import what the DAGs must not."""
    program = f"""
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder={str(PROJECT / "dags")!r})
assert len(bag.dags) == {len(DAGS)}, bag.import_errors
print("loaded:", *(name for name in {HEAVY!r} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if line.startswith("loaded:")] == ["loaded:"]
