"""Which task after which, and which DAG sets off which."""

from copy import deepcopy
from typing import Any

import pytest

CHAINS = {
    "features_daily": ["import_night", "validate_events", "features", "validate_features"],
    "candidates_daily": ["candidates", "validate_candidates", "publish"],
    "reranker_weekly": ["training_pairs", "train", "prune", "evaluate", "promote"],
    "sla_check": ["judge_objectives"],
    "drift_daily": ["drift", "retrain"],
}
SCHEDULES = {"features_daily": "0 2 * * *", "reranker_weekly": "0 4 * * 0", "sla_check": "*/15 * * * *"}


@pytest.mark.parametrize("dag_id", CHAINS)
def test_tasks_run_one_after_the_other(dags: dict[str, Any], dag_id: str) -> None:
    chain = CHAINS[dag_id]
    assert {task.task_id: set(task.downstream_task_ids) for task in dags[dag_id].tasks} == {
        task: {after} if after else set() for task, after in zip(chain, [*chain[1:], None], strict=True)
    }


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
