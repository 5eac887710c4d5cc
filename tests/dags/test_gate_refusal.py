"""A model that the gate refuses, in the real DAG: the mail has the reasons, the live model stays, the run is linked."""

from html import unescape
from pathlib import Path
from typing import Any

import pytest

from contract.keys import Keys
from contract.settings import Night, Settings, Training
from contract.store.pointer import read_pointer
from contract.store.publisher import set_model
from jobs.model import evaluate
from tests.airflow_sandbox import PROJECT
from tests.colour_shop import DAY, write_base_model, write_lake
from tests.dags.conftest import Mailbox
from tests.jobs.model.shop_models import export_student, run, silent

LIVE = "20240101-000000000000"
TRAINING = {"base_model": "", "sample_queries": 20, "test_queries": 8, "candidates": 9, "device": "cpu", "threads": 1}
SIZES = {"query_tokens": 20, "item_tokens": 8}


@pytest.fixture
def collapsed(tmp_path: Path, valkey_url: str, client: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The settings' newest evaluated model: it gives every candidate one score. Another is live."""
    training = {**TRAINING, **SIZES, "base_model": str(write_base_model(tmp_path / "base"))}
    lake = write_lake(tmp_path / "lake", train=24, validation=4, test=10)
    settings = Settings(
        _env_file=None,
        night=Night(lake=str(lake), models=str(tmp_path / "models")),
        training=Training(**training),
        registry={"tracking_uri": ""},
    )
    version = export_student(settings, 1_711_900_000.0, silent)
    run(evaluate, settings, "--depth", "9")
    for name, value in {
        "NIGHT__LAKE": lake,
        "NIGHT__MODELS": tmp_path / "models",
        "NIGHT__REPORTS": tmp_path / "reports",
        "REGISTRY__TRACKING_URI": f"sqlite:///{tmp_path}/mlflow/mlflow.db",
        "REDIS__URL": valkey_url,
        "GATE__LATENCY_QUERIES": "4",
        "GATE__LATENCY_BUDGET_MS": "5000",
        **{f"TRAINING__{name.upper()}": value for name, value in training.items()},
    }.items():
        monkeypatch.setenv(f"PACE_{name}", str(value))
    set_model(client, Keys("pace"), LIVE)
    return version


@pytest.fixture
def reranker_weekly(collapsed: str) -> Any:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    return DagBag(dag_folder=str(PROJECT / "dags")).dags["reranker_weekly"]


def test_a_refusal_is_mailed_with_its_reasons_and_the_champion_stays(
    reranker_weekly: Any, collapsed: str, mailbox: Mailbox, client: Any
) -> None:
    before, after = ("training_pairs", "train", "prune", "evaluate"), ("encode_items", "promote")
    done = reranker_weekly.test(run_conf={"date": DAY}, mark_success_pattern="|".join(before))

    states = {ti.task_id: str(ti.state) for ti in done.get_task_instances()}
    assert states == {**dict.fromkeys(before, "success"), "gate": "failed", **dict.fromkeys(after, "upstream_failed")}
    assert read_pointer(client, Keys("pace")).model == LIVE
    (mail,) = mailbox.mails
    assert mail["Subject"] == "reranker_weekly.gate failed"
    body = mail.get_body(("html",))
    assert body is not None
    text = unescape(body.get_content())
    assert f"GateRefused: model {collapsed} may not serve: it has collapsed" in text
    assert f"Model {LIVE} stays. The record: " in text
    assert "1 of at most 3" in text, "no further attempt can cure it"
    assert "the live one stays: the reason has the figures" in text
    assert links(done.run_id) == [("gate", True)]


def links(run_id: str) -> list[tuple[str, bool]]:
    """The tasks that lead to a run of the registry, and whether the address is one of its pages."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        query = XComModel.get_many(key="registry_run", run_id=run_id, dag_ids="reranker_weekly")
        found = [(one.task_id, str(one.value)) for one in session.scalars(query)]
    return [(task, "http://127.0.0.1:5000/#/experiments/" in address) for task, address in found if len(address) > 2]
