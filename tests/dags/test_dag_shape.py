"""Which task after which, and which DAG sets off which."""

from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.airflow_sandbox import PROJECT

CHAINS = {
    "candidates_daily": ["candidates", "validate_candidates", "encode_items", "publish"],
    "reranker_weekly": ["training_pairs", "train", "prune", "evaluate", "gate", "encode_items", "promote"],
    "rollback": ["rollback"],
    "drift_daily": ["drift", "retrain"],
}
SCHEDULES = {"features_daily": "0 2 * * *", "reranker_weekly": "0 4 * * 0", "sla_check": "*/15 * * * *"}


@pytest.mark.parametrize("dag_id", CHAINS)
def test_tasks_run_one_after_the_other(dags: dict[str, Any], dag_id: str) -> None:
    chain = CHAINS[dag_id]
    assert {task.task_id: set(task.downstream_task_ids) for task in dags[dag_id].tasks} == {
        task: {after} if after else set() for task, after in zip(chain, [*chain[1:], None], strict=True)
    }


def test_slates_come_after_the_catalogue_and_hold_nothing_up(dags: dict[str, Any]) -> None:
    features_daily = dags["features_daily"]
    assert {task.task_id: set(task.downstream_task_ids) for task in features_daily.tasks} == {
        "import_night": {"import_impressions", "validate_events"},
        "import_impressions": {"validate_events"},
        "validate_events": {"features"},
        "features": {"validate_features"},
        "validate_features": set(),
    }
    # Both are over, and one was a success: without import_night the other did not run.
    assert features_daily.get_task("validate_events").trigger_rule == "all_done_min_one_success"
    assert features_daily.get_task("import_impressions").trigger_rule == "all_success"


def test_objectives_are_judged_one_by_one_and_told_together(dags: dict[str, Any]) -> None:
    sla_check = dags["sla_check"]
    assert {task.task_id: set(task.downstream_task_ids) for task in sla_check.tasks} == {
        "objectives": {"judge"},
        "judge": {"all_kept", "tell"},
        "all_kept": set(),
        "tell": set(),
    }
    judge = sla_check.get_task("judge")
    assert judge.is_mapped
    assert judge.map_index_template == "{{ task.objective }}"
    assert sla_check.get_task("tell").trigger_rule == "all_done"


@pytest.fixture
def with_retraining(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """sla_check where a miss that lasts sets off a training."""
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW_VAR_PACESETTER_HOME", str(tmp_path))
    monkeypatch.setenv("PACE_MONITORING__RETRAIN_AFTER_MISSES", "4")
    return DagBag(dag_folder=str(PROJECT / "dags")).dags["sla_check"]


def test_a_miss_sets_off_a_training_where_the_settings_say_so(with_retraining: Any) -> None:
    retrain = with_retraining.get_task("retrain")
    assert retrain.upstream_task_ids == {"tell"}
    assert retrain.trigger_rule == "all_done", "a mail that did not go out does not hold it up"
    assert retrain.trigger_dag_id == "reranker_weekly"
    assert retrain.decision == with_retraining.get_task("tell").decision


@pytest.mark.parametrize("dag_id", ["features_daily", "candidates_daily"])
def test_a_night_that_is_late_is_mailed(dags: dict[str, Any], dag_id: str) -> None:
    (alert,) = dags[dag_id].deadline
    assert alert.reference.reference_name == "DagRunQueuedAtDeadline"
    assert alert.interval == timedelta(minutes=240)
    assert alert.callback.path == "pacesetter_airflow.lateness.mail_late"
    assert alert.callback.kwargs == {"minutes": 240.0}


@pytest.mark.parametrize("dag_id", SCHEDULES)
def test_schedules(dags: dict[str, Any], dag_id: str) -> None:
    assert dags[dag_id].timetable.expression == SCHEDULES[dag_id]


def test_candidates_wait_for_features_that_were_validated(dags: dict[str, Any]) -> None:
    outlets = {
        (dag_id, task.task_id): [outlet.name for outlet in task.outlets]
        for dag_id, dag in dags.items()
        for task in dag.tasks
        if task.outlets
    }
    assert outlets == {
        ("features_daily", "validate_features"): ["features"],
        ("candidates_daily", "publish"): ["generation"],
    }
    assert [asset.name for asset in dags["candidates_daily"].timetable.asset_condition.objects] == ["features"]
    assert [asset.name for asset in dags["drift_daily"].timetable.asset_condition.objects] == ["generation"]


def test_the_form_of_the_reranker_is_filled_with_the_settings(dags: dict[str, Any]) -> None:
    from contract.settings import Settings

    training = Settings(_env_file=None).training
    params = dags["reranker_weekly"].params
    assert params.dump() == {
        "date": "latest",
        "sample_queries": training.sample_queries,
        "train_days": training.train_days,
        "epochs": training.epochs,
        "distil_epochs": training.distil_epochs,
        "student_layers": training.student_layers,
        "promote": True,
    }


@pytest.mark.parametrize(
    "wrong", [{"date": "yesterday"}, {"date": "latest; rm -r x"}, {"epochs": 0}, {"promote": "no"}]
)
def test_the_form_refuses_what_no_job_can_use(dags: dict[str, Any], wrong: dict[str, Any]) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    params = deepcopy(dags["reranker_weekly"].params)
    with pytest.raises(ParamValidationError):
        params.update(wrong)


@pytest.fixture
def with_approval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """reranker_weekly where a person is asked."""
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW_VAR_PACESETTER_HOME", str(tmp_path))
    monkeypatch.setenv("PACE_GATE__REQUIRE_APPROVAL", "true")
    return DagBag(dag_folder=str(PROJECT / "dags")).dags["reranker_weekly"]


def test_a_person_is_asked_between_the_gate_and_the_promotion_where_the_settings_say_so(with_approval: Any) -> None:
    assert with_approval.get_task("gate").downstream_task_ids == {"encode_items"}
    assert with_approval.get_task("encode_items").downstream_task_ids == {"approve"}
    approve = with_approval.get_task("approve")
    assert approve.downstream_task_ids == {"promote"}
    assert approve.options == ["Approve", "Reject"]
    assert timedelta(0) < approve.response_timeout < with_approval.dagrun_timeout
    assert (approve.execution_timeout, approve.retries) == (None, 0)
    assert approve.doc_md
    assert [callback.__name__ for callback in approve.on_failure_callback] == ["mail_failure"]


def test_nobody_is_asked_about_a_model_that_is_not_to_be_promoted(with_approval: Any) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException):
        with_approval.get_task("approve")._pre_execute_hook({"params": {"promote": False}})


def test_a_rollback_is_started_by_hand_alone_and_for_the_model_unless_chosen_otherwise(dags: dict[str, Any]) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    assert not dags["rollback"].timetable.can_be_scheduled
    params = deepcopy(dags["rollback"].params)
    assert params.dump() == {"what": "model"}
    params.update({"what": "generation"})
    with pytest.raises(ParamValidationError):
        params.update({"what": "everything"})


def test_the_tasks_about_a_model_lead_to_its_run(dags: dict[str, Any]) -> None:
    linked = {
        task.task_id: [link.name for link in task.operator_extra_links]
        for task in dags["reranker_weekly"].tasks
        if task.operator_extra_links
    }
    assert linked == {task: ["MLflow run"] for task in ("train", "prune", "evaluate", "gate", "promote")}
