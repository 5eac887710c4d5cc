"""The task that sets off a training: by the decision alone, with its conf and the reason."""

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowSkipException, DagRunTriggerException

from pacesetter_airflow.retraining import Retrain


@pytest.fixture
def decision(tmp_path: Path) -> Path:
    return tmp_path / "decision.json"


def run(decision: Path) -> Any:
    task = Retrain(
        task_id="retrain",
        decision=str(decision),
        trigger_dag_id="reranker_weekly",
        trigger_run_id="drift__today",
        conf={"date": "2011-11-20"},
    )
    return task.execute({})


def test_it_triggers_where_the_drift_job_says_so(decision: Path) -> None:
    decision.write_text('{"retrain": true, "why": "past its bound: scores 0.5 > 0.25"}')
    with pytest.raises(DagRunTriggerException) as caught:
        run(decision)
    assert caught.value.trigger_dag_id == "reranker_weekly"
    assert caught.value.dag_run_id == "drift__today"
    assert caught.value.conf == {"date": "2011-11-20", "cause": "past its bound: scores 0.5 > 0.25"}


def test_it_is_skipped_with_the_reason_where_it_says_no(decision: Path) -> None:
    decision.write_text('{"retrain": false, "why": "the newest model was trained 2.0 days ago"}')
    with pytest.raises(AirflowSkipException, match=r"no training: the newest model was trained 2\.0 days ago"):
        run(decision)


@pytest.mark.parametrize("left", [None, "", '{"half', "[]", '{"retrain": true}'])
def test_without_a_whole_decision_it_fails(decision: Path, left: str | None) -> None:
    if left is not None:
        decision.write_text(left)
    with pytest.raises(AirflowException, match="no decision of the task before"):
        run(decision)
