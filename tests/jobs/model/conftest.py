"""A lake of the colour shop, settings that train on it in seconds, and a student of it that is evaluated."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from contract.settings import Gate, Night, Ranker, Redis, Registry, Settings, Training
from jobs.model import evaluate
from jobs.model.folders import ModelFolders
from jobs.model.gate.opponents import BASELINE
from jobs.model.per_query import PerQuery, read_per_query, write_per_query
from reranker.precision import use_threads
from tests.colour_shop import write_base_model, write_lake
from tests.jobs.model.shop_models import export_student, run


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    use_threads(1)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def lake_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lake(tmp_path_factory.mktemp("shop") / "lake", train=48, validation=6, test=16)


def shop_settings(base: Path, lake: Path, models: Path) -> Settings:
    return Settings(
        _env_file=None,
        night=Night(lake=str(lake), models=str(models), seed=3),
        gate=Gate(latency_queries=4, latency_budget_ms=5000.0),
        registry=Registry(tracking_uri=""),
        ranker=Ranker(threads=1, batch_pairs=16),
        training=Training(
            base_model=str(base),
            sample_queries=40,
            validation_queries=5,
            test_queries=12,
            query_tokens=20,
            item_tokens=8,
            candidates=9,
            list_candidates=6,
            frozen_layers=1,
            encoder_rate=1e-3,
            head_rate=3e-3,
            student_layers=2,
            epochs=4,
            distil_epochs=3,
            device="cpu",
            threads=1,
            kept_models=2,
        ),
    )


Challenge = Callable[..., str]


@pytest.fixture(scope="session")
def evaluated(base: Path, lake_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose `models` hold one evaluated student; not to be written to."""
    settings = shop_settings(base, lake_root, tmp_path_factory.mktemp("gate") / "models")
    export_student(settings, created_at=1_711_900_000.0)
    run(evaluate, settings, "--depth", "9", "--baselines", BASELINE)
    return settings


@pytest.fixture
def shop(evaluated: Settings, tmp_path: Path, valkey_url: str, client: Any) -> Settings:
    """A copy of it, with a Redis of its own."""
    models = copytree(evaluated.night.models, tmp_path / "models")
    return evaluated.model_copy(
        update={
            "night": Night(lake=evaluated.night.lake, models=str(models), seed=3),
            "redis": Redis(url=valkey_url, prefix="test", publish_timeout_seconds=5.0),
        }
    )


@pytest.fixture
def folders(shop: Settings) -> ModelFolders:
    return ModelFolders(shop.night.models)


@pytest.fixture
def challenge(shop: Settings, folders: ModelFolders) -> Challenge:
    """Exports and evaluates another student; the baseline's figures are those of the first, to fit it once."""

    def export(spoil: Callable[[Any], None] = lambda network: None, created_at: float = 1_711_900_100.0) -> str:
        baseline = read_per_query(folders.per_query(folders.newest_evaluated())).ndcg10[BASELINE]
        version = export_student(shop, created_at, spoil)
        run(evaluate, shop, "--depth", "9")
        single = read_per_query(folders.per_query(version))
        write_per_query(folders.per_query(version), PerQuery(single.query_ids, {**single.ndcg10, BASELINE: baseline}))
        return version

    return export
