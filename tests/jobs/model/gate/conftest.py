"""Judged models: a student that is evaluated, in a folder that each test may change."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from contract.settings import Night, Redis, Settings
from jobs.model import evaluate
from jobs.model.folders import ModelFolders
from jobs.model.gate.opponents import BASELINE
from jobs.model.per_query import PerQuery, read_per_query, write_per_query
from tests.jobs.model.conftest import shop_settings
from tests.jobs.model.shop_models import export_student, run

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
