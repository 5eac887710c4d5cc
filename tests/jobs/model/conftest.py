"""A lake of the colour shop, and settings that train on it in seconds."""

from pathlib import Path

import pytest

from contract.settings import Gate, Night, Ranker, Registry, Settings, Training
from reranker.precision import use_threads
from tests.colour_shop import write_base_model, write_lake


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
