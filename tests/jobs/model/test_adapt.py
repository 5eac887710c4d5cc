"""The base model is adapted to the catalogue of before the validation's cut, and kept where that pays."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.settings import Settings
from jobs.lake import Lake
from jobs.model import adapt, train
from jobs.model.folders import ModelFolders
from jobs.model.losses import ScoreQuality
from jobs.model.quality import Estimate
from reranker.encoding import base_model_directory
from reranker.manifest import read_manifest
from tests.colour_shop import CATALOGUE, CUTS, DAY, item_row, write_lake
from tests.jobs.model.conftest import shop_settings
from tests.scenarios import SAMPLE


@pytest.fixture
def lake_root(tmp_path: Path) -> Path:
    """A lake whose catalogue has one item more as of the test's cut."""
    root = write_lake(tmp_path / "lake", train=24, validation=6, test=4)
    later = msgspec.structs.replace(CATALOGUE["red-mug"], item_id="later", title="a secret of the future")
    path = root / "training_items" / f"day={DAY}" / "part-0.parquet"
    rows = [*pq.read_table(path).to_pylist(), {"cut": CUTS["test"], **item_row(later)}]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert CUTS["test"] - CUTS["validation"] > timedelta(days=1)
    return root


@pytest.fixture
def settings(base: Path, lake_root: Path, tmp_path: Path) -> Settings:
    found = shop_settings(base, lake_root, tmp_path / "models")
    training = found.training.model_copy(update={"sample_queries": 24, "epochs": 1, "adapt_epochs": 1})
    return found.model_copy(update={"training": training})


def decided(settings: Settings) -> tuple[Path, dict[str, float]]:
    base = base_model_directory(settings.training.base_model)
    folders = ModelFolders(settings.night.models)
    return adapt.adapted_base(base, Lake(settings.night.lake), DAY, settings.training, SAMPLE, 3, folders)


def fixed(monkeypatch: pytest.MonkeyPatch, before: float, after: float) -> list[Path]:
    """The fine-tunes come to these; returns the base models that they began from."""
    begun: list[Path] = []

    def ndcg(base: Path, *_: Any) -> ScoreQuality:
        begun.append(base)
        return ScoreQuality(np.zeros(5), np.full(5, before if len(begun) == 1 else after))

    monkeypatch.setattr(adapt, "_short_fine_tune", ndcg)
    return begun


def test_nothing_of_the_future_is_read(settings: Settings) -> None:
    texts = adapt.catalogue_texts(Lake(settings.night.lake), DAY, settings.training, SAMPLE, 3)
    assert len(texts) == len(CATALOGUE)
    assert not any("future" in text for text in texts)


def test_a_gain_is_kept_with_its_figures_and_decided_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = fixed(monkeypatch, 0.25, 0.5)
    directory, told = decided(settings)
    assert told == {"adapt_kept": 1.0, "adapt_gain": 0.25}
    assert begun == [Path(settings.training.base_model), directory]
    assert base_model_directory(str(directory)) == directory
    record = json.loads(directory.with_suffix(".json").read_text())
    assert (record["kept"], record["texts"], record["base_text_ndcg10"]) == (True, len(CATALOGUE), 0.25)
    assert record["loss_last"] > 0
    assert msgspec.convert(record["gain"], Estimate) == Estimate(0.25, 0.25, 0.25)
    assert decided(settings) == (directory, told)
    assert len(begun) == 2


def test_no_gain_leaves_the_base_model_and_no_adapted_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fixed(monkeypatch, 0.25, 0.25)
    directory, told = decided(settings)
    assert directory == Path(settings.training.base_model)
    assert told["adapt_kept"] == 0.0
    assert [path.suffix for path in ModelFolders(settings.night.models).adapted.iterdir()] == [".json"]


def test_training_with_adaptation_says_what_was_decided(settings: Settings) -> None:
    train.main(train.arg_parser(settings).parse_args([]), settings)
    folders = ModelFolders(settings.night.models)
    manifest = read_manifest(folders.teacher(""))
    assert manifest.metrics["adapt_kept"] == float(manifest.metrics["adapt_gain"] > 0)
    assert manifest.metrics["pairs_per_second"] > 0
    assert 0 < manifest.metrics["matrix_rate_share"] < 1
    assert not list(folders.checkpoints.glob("*"))
