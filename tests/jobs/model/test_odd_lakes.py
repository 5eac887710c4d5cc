"""Lakes that a shop's first week leaves: one user, a handful of items, texts that tell nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.errors import BadInput
from contract.records import UserRecord
from jobs.lake import Lake
from jobs.model import evaluate, prune, train
from jobs.model.dataset import read_queries
from jobs.model.evaluation import ORDER, STUDENT, read_evaluation
from jobs.model.folders import ModelFolders
from tests.colour_shop import CATALOGUE, DAY, query, write_lake
from tests.jobs.model.conftest import shop_settings

ONE = UserRecord("the only one", history=("red-mug",), sessions=1, positives=1)


def run(verb: Any, settings: Any, *arguments: str) -> None:
    verb.main(verb.arg_parser(settings).parse_args(arguments), settings)


@pytest.mark.parametrize("text", ["", "the same for all"])
def test_ten_items_of_one_text_and_one_user_train_and_are_evaluated(base: Path, tmp_path: Path, text: str) -> None:
    """The texts cannot help, and must not hurt: scores are finite, and the dense features still order."""
    few = dict.fromkeys(item for number in range(4) for item in query(number).candidates.item_ids[:2])
    untold = {
        item_id: msgspec.structs.replace(CATALOGUE[item_id], title=text, text=None, categories=(), attributes={})
        for item_id in [*few, "red-mug", "red-lamp"]
    }
    assert len(untold) <= 10

    def asked(number: int) -> Any:
        found = query(number)
        listed = found.candidates.take([0, 1])
        return replace(found, user=ONE, labels=frozenset(listed.item_ids[:1]), candidates=listed, context=())

    root = write_lake(tmp_path / "lake", 2, 1, 1, queries=asked, catalogue=untold)
    settings = shop_settings(base, root, tmp_path / "models")
    for verb in (train, prune):
        run(verb, settings)
    run(evaluate, settings, "--baselines", "all")
    folders = ModelFolders(settings.night.models)
    found = read_evaluation(folders.evaluation(folders.newest_evaluated()))
    assert found.queries == 1
    assert {STUDENT, ORDER, "LambdaMART", "item-kNN"} <= set(found.rankers)
    assert all(np.isfinite(row.ndcg10.mean) and row.ndcg10.low is None for row in found.rankers.values())


def test_training_items_of_a_night_before_attributes_are_read_without_them(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake", 2, 1, 1)
    path = root / "training_items" / f"day={DAY}" / "part-0.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["attributes"]), path)
    found = read_queries(Lake(str(root)), DAY, "train", "basket", 5, 3, 9, hit=True)
    assert found[0].items["red-mug"] == msgspec.structs.replace(CATALOGUE["red-mug"], attributes={})


def test_without_a_query_of_the_scenarios_task_training_says_which(base: Path, tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake", 2, 1, 1)
    scenario = Path("ops/scenario.yaml").read_text().replace("task: basket", "task: next_visit")
    (tmp_path / "visits.yaml").write_text(scenario)
    settings = shop_settings(base, root, tmp_path / "models")
    night = settings.night.model_copy(update={"scenario": str(tmp_path / "visits.yaml")})
    with pytest.raises(BadInput, match=r"no train query of task next_visit .* import more events, or widen"):
        run(train, settings.model_copy(update={"night": night}))


def test_a_model_is_not_measured_on_the_vectors_of_another_base_model(base: Path, tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake", 8, 2, 2)
    settings = shop_settings(base, root, tmp_path / "models")
    path = root / "training_items" / f"day={DAY}" / "part-0.parquet"
    plain = pq.read_table(path)
    pq.write_table(plain.append_column("vector_space", pa.array(["old"] * len(plain))), path)
    for verb in (train, prune):
        run(verb, settings)
    pq.write_table(plain.append_column("vector_space", pa.array(["new"] * len(plain))), path)
    for verb in (prune, evaluate):
        with pytest.raises(BadInput, match=r"vectors of base model new, but model .* learned from those of old: train"):
            run(verb, settings)
