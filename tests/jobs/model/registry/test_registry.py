"""The verbs' traces in a real MLflow on SQLite."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run as call
from typing import Any

import pytest

from contract import settings as sections
from contract.errors import ArtifactMismatch, BadInput, GateRefused
from contract.keys import Keys
from contract.settings import Settings
from contract.store.publisher import set_model
from jobs.model import promote, register
from jobs.model.folders import ModelFolders
from jobs.model.gate import verb as gate
from jobs.model.gate.record import read_record
from jobs.model.registry import champion, record_model
from jobs.model.registry.store import CHALLENGER, CHAMPION, ModelRegistry
from jobs.serving import rollback
from reranker.manifest import MANIFEST
from tests.jobs.model.conftest import Challenge
from tests.jobs.model.shop_models import backwards, export_student, run

KEYS = Keys("test")


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Made once: MLflow's schema takes seconds."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"
    ModelRegistry.open(sections.Registry(tracking_uri=uri))
    return uri


@pytest.fixture
def logged(shop: Settings, mlflow_database: str, tmp_path: Path) -> Settings:
    """The shop with a registry: an experiment and a model of this test's own."""
    options = sections.Registry(
        tracking_uri=mlflow_database, experiment=tmp_path.name, model=tmp_path.name, ui_url="http://mlflow.test:5000"
    )
    return shop.model_copy(update={"registry": options})


@pytest.fixture
def registry(logged: Settings) -> ModelRegistry:
    return ModelRegistry.open(logged.registry)


@pytest.fixture
def run_of(registry: ModelRegistry) -> Callable[[str], Any]:
    return lambda version: registry._client.get_run(registry.find(version))


def test_a_student_has_a_run_with_what_its_files_say(
    logged: Settings, folders: ModelFolders, run_of: Any, registry: ModelRegistry
) -> None:
    version = folders.newest_evaluated()
    run(gate, logged)
    found = run_of(version)
    record = read_record(folders.gate_record(version))
    assert found.info.run_name == version
    assert found.info.status == "FINISHED"
    assert found.data.params["train_queries"] == "40"
    assert found.data.params["date"] == "2024-03-31"
    assert found.data.metrics["validation_ndcg10"] == 0.25
    assert found.data.metrics["ndcg10/student"] == pytest.approx(record.comparisons[0].ndcg10)
    assert found.data.metrics["gate/latency_p95_ms"] == record.latency.p95_ms
    assert found.data.metrics["gate/admitted"] == 1.0
    assert found.data.tags["gate"] == "admitted"
    client = registry._client
    files = {
        file.path for folder in ("model", "evaluation") for file in client.list_artifacts(found.info.run_id, folder)
    }
    wanted = {"model/manifest.json"} | {
        f"evaluation/{version}.{kind}" for kind in ("json", "md", "html", "gate.json", "queries.parquet")
    }
    assert files == wanted, "and no weights: the artifact's directory is what serves"


def test_logging_twice_leaves_one_run_one_version_and_one_value_of_each_metric(
    logged: Settings, folders: ModelFolders, run_of: Any, registry: ModelRegistry
) -> None:
    version = folders.newest_evaluated()
    for _ in range(2):
        assert record_model(logged, folders, version)
    client, name = registry._client, logged.registry.model
    assert len(client.search_model_versions(f"name = '{name}'")) == 1
    assert len(client.search_runs([registry._experiment])) == 1
    assert len(client.get_metric_history(run_of(version).info.run_id, "ndcg10/student")) == 1


def test_a_students_run_is_a_child_of_its_teachers(
    logged: Settings, folders: ModelFolders, run_of: Any, registry: ModelRegistry
) -> None:
    """The student's manifest names a teacher that was recorded, but is gone by now."""
    teacher = "20240331-0123456789ab"
    registry._client.create_run(registry._experiment, tags={"version": teacher}, run_name=teacher)
    record_model(logged, folders, folders.newest_evaluated())
    child = run_of(folders.newest_evaluated())
    assert child.data.tags["mlflow.parentRunId"] == run_of(teacher).info.run_id


def test_the_model_version_names_the_artifact(logged: Settings, folders: ModelFolders, registry: ModelRegistry) -> None:
    version = folders.newest_evaluated()
    record_model(logged, folders, version)
    (found,) = registry._client.search_model_versions(f"name = '{logged.registry.model}'")
    assert found.tags["version"] == version
    assert version.endswith(found.tags["digest"][:12])
    assert found.tags["directory"] == str(folders.student(version).resolve())
    assert found.run_id == registry.find(version)


def test_the_aliases_follow_the_pointer(
    logged: Settings, folders: ModelFolders, registry: ModelRegistry, challenge: Challenge
) -> None:
    def aliases() -> tuple[str, str]:
        return registry.version_of(CHAMPION), registry.version_of(CHALLENGER)

    first = folders.newest_evaluated()
    run(gate, logged)
    assert aliases() == ("", first)
    run(promote, logged)
    assert aliases() == (first, "")
    second = challenge()
    run(gate, logged)
    assert aliases() == (first, second)
    run(promote, logged)
    assert aliases() == (second, "")
    run(rollback, logged, "model")
    assert aliases() == (first, second)
    run(promote, logged, "--none")
    assert aliases() == ("", second)


def test_a_refused_model_is_no_challenger(
    logged: Settings, folders: ModelFolders, registry: ModelRegistry, challenge: Challenge, run_of: Any
) -> None:
    version = challenge(backwards)
    record_model(logged, folders, version)
    assert registry.version_of(CHALLENGER) == version
    with pytest.raises(GateRefused):
        run(gate, logged)
    assert registry.version_of(CHALLENGER) == ""
    assert run_of(version).data.tags["gate"] == "refused"
    assert "candidate order: NDCG@10" in run_of(version).data.tags["gate_reasons"]


def test_a_champion_is_known_by_its_alias_where_redis_has_forgotten_it(
    logged: Settings, folders: ModelFolders, client: Any, challenge: Challenge
) -> None:
    run(promote, logged, "--force", "test")
    first = folders.newest_evaluated()
    second = challenge()
    client.flushall()
    assert champion(logged) == first
    run(gate, logged)
    record = read_record(folders.gate_record(second))
    assert (record.live, record.champion) == ("", first)


def test_a_model_that_was_tidied_away_is_marked(
    logged: Settings, folders: ModelFolders, registry: ModelRegistry, challenge: Challenge
) -> None:
    first = folders.newest_evaluated()
    record_model(logged, folders, first)
    for number in range(2):
        challenge(created_at=1_711_900_100.0 + number)
    run(promote, logged, "--force", "test")
    assert folders.directory(first) is None
    found = registry._client.search_model_versions(f"name = '{logged.registry.model}' and tags.version = '{first}'")
    assert found[0].tags["artifact"] == "removed"


def test_the_runs_address_is_left_beside_the_report(logged: Settings, folders: ModelFolders, tmp_path: Path) -> None:
    registry = ModelRegistry.open(logged.registry)
    run(gate, logged, "--report", str(tmp_path / "reports" / "gate.txt"))
    found = (tmp_path / "reports" / "gate.run").read_text()
    experiment, run_id = registry._experiment, registry.find(folders.newest_evaluated())
    assert found == f"http://mlflow.test:5000/#/experiments/{experiment}/runs/{run_id}\n"


@pytest.mark.parametrize("place", ["http://user:s3cret@127.0.0.1:1", "sqlite:///{file}"])
def test_a_registry_that_is_away_or_broken_costs_no_promotion_and_is_made_up_for(
    logged: Settings,
    folders: ModelFolders,
    registry: ModelRegistry,
    client: Any,
    tmp_path: Path,
    capsys: Any,
    place: str,
) -> None:
    (tmp_path / "broken.db").write_text("no database")
    uri = place.format(file=tmp_path / "broken.db")
    away = logged.model_copy(update={"registry": logged.registry.model_copy(update={"tracking_uri": uri})})
    run(gate, away)
    run(promote, away)
    told = capsys.readouterr().err
    assert "Nothing is lost, the job goes on: `python -m jobs register` brings what is missing" in told
    assert "s3cret" not in told
    with pytest.raises(BadInput, match="the registry was not reached"):
        run(register, away)
    run(register, logged)
    assert registry.version_of(CHAMPION) == folders.newest_evaluated()


def test_registering_brings_every_model(logged: Settings, folders: ModelFolders, run_of: Any, client: Any) -> None:
    first = folders.newest_evaluated()
    second = export_student(logged, created_at=1_711_900_100.0)
    set_model(client, KEYS, first)
    run(register, logged)
    assert [run_of(version).info.run_name for version in (first, second)] == [first, second]
    assert champion(logged) == first


def test_a_damaged_model_is_named_and_the_others_are_registered(
    logged: Settings, folders: ModelFolders, run_of: Any
) -> None:
    first = folders.newest_evaluated()
    second = export_student(logged, created_at=1_711_900_100.0)
    (folders.student(second) / MANIFEST).write_text("{")
    with pytest.raises(ArtifactMismatch, match=f"the others are registered: .*{second}/manifest.json"):
        run(register, logged)
    assert run_of(first).info.run_name == first


def test_no_verb_imports_mlflow_before_it_logs(shop: Settings) -> None:
    """It takes seconds, and most verbs need none of it."""
    program = """
import importlib, sys
from contract.settings import Settings
from jobs.__main__ import VERBS
for module, _ in VERBS.values():
    importlib.import_module(module).arg_parser(Settings(_env_file=None))
print("loaded:", "mlflow" in sys.modules)
"""
    done = call([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert "loaded: False" in done.stdout
