"""A person's answer between the gate and the promotion, through the function that Airflow's page calls."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from tests.airflow_sandbox import PROJECT
from tests.dags.conftest import Mailbox

OTHERS = "training_pairs|train|prune|evaluate|gate|encode_items|promote"


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """reranker_weekly of settings that want an approval, in a database of the sandbox."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    monkeypatch.setenv("AIRFLOW_VAR_PACESETTER_HOME", str(tmp_path))
    monkeypatch.setenv("PACE_GATE__REQUIRE_APPROVAL", "true")
    initdb()
    return DagBag(dag_folder=str(PROJECT / "dags")).dags["reranker_weekly"]


def answer(option: str, stop: threading.Event, asked: list[str]) -> None:
    """Waits until the task asks, and answers."""
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    waiting = select(TaskInstance).where(TaskInstance.task_id == "approve", TaskInstance.state == "awaiting_input")
    person = SimpleNamespace(get_id=lambda: "7", get_name=lambda: "night watch")
    while not stop.wait(0.2):
        with create_session() as session:
            task = session.scalar(waiting)
            if task is not None:
                payload = UpdateHITLDetailPayload(chosen_options=[option], params_input={})
                update_hitl_detail("reranker_weekly", task.run_id, "approve", payload, person, session)
                asked.append(task.hitl_detail.subject)
                return


@pytest.mark.parametrize(("option", "promotion"), [("Reject", "skipped"), ("Approve", "success")])
def test_a_model_is_promoted_only_if_a_person_approves(
    asking: Any, mailbox: Mailbox, option: str, promotion: str
) -> None:
    stop, asked = threading.Event(), []
    person = threading.Thread(target=answer, args=(option, stop, asked))
    person.start()
    try:
        run = asking.test(run_conf={"date": "latest"}, mark_success_pattern=OTHERS)
    finally:
        stop.set()
        person.join()
    states = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
    assert (states["gate"], states["approve"], states["promote"]) == ("success", "success", promotion)
    assert asked == [f"Promote the model of reranker_weekly, run {run.run_id}?"]
    assert mailbox.mails == []
