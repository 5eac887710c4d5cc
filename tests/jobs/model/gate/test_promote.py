"""Promotion by the gate's word, with a real pointer and a real generation."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from contract.errors import ArtifactMismatch, BadInput, GateRefused
from contract.keys import Keys
from contract.settings import Night, Settings
from contract.store.pointer import read_pointer
from contract.store.publisher import set_model
from contract.store.reader import Reader
from jobs.lake import Lake
from jobs.model import promote
from jobs.model.folders import ModelFolders
from jobs.model.gate import verb as gate
from jobs.serving import publish, rollback
from tests.jobs.model.conftest import Challenge
from tests.jobs.model.shop_models import backwards, run
from tests.jobs.serving.small_tables import DAY, ITEM, write, write_tables

KEYS = Keys("test")
OLD = "20240101-000000000000"


@pytest.fixture
def served(shop: Settings, tmp_path: Path) -> Settings:
    """The same, on a lake that has candidates of DAY too."""
    root = Path(shutil.copytree(shop.night.lake, tmp_path / "lake"))
    write_tables(Lake(str(root)))
    return shop.model_copy(update={"night": Night(lake=str(root), models=shop.night.models, seed=3)})


def test_an_admitted_model_goes_live(shop: Settings, folders: ModelFolders, client: Any, capsys: Any) -> None:
    set_model(client, KEYS, OLD)
    run(gate, shop)
    run(promote, shop)
    run(promote, shop)  # a retry of the same task must not lose the model before
    pointer = read_pointer(client, KEYS)
    version = folders.newest_evaluated()
    assert (pointer.model, pointer.previous_model, pointer.generation) == (version, OLD, 0)
    assert f"model {version} is live; generation 0; before it: {OLD}" in capsys.readouterr().out
    kept = json.loads(folders.promotion(version).read_text())
    assert (kept["version"], kept["replaced"], kept["forced"]) == (version, OLD, "")


def test_a_promotion_publishes_the_newest_candidates_in_the_same_move(
    served: Settings, folders: ModelFolders, client: Any
) -> None:
    run(publish, served, "--date", DAY)
    before = read_pointer(client, KEYS)
    run(gate, served)
    run(promote, served)
    pointer = read_pointer(client, KEYS)
    assert pointer.serial == before.serial + 1
    assert (pointer.previous, pointer.model) == (before.generation, folders.newest_evaluated())
    assert Reader(client, KEYS).meta(pointer.generation).date == DAY


def test_items_of_another_base_model_do_not_go_live_with_it(served: Settings, client: Any) -> None:
    write(Lake(served.night.lake), "item_features", [{**ITEM, "vector_space": "another"}])
    run(gate, served)
    with pytest.raises(BadInput, match=r"item vectors of base model another, but model .* from those of unknown"):
        run(promote, served)
    assert read_pointer(client, KEYS).serial == 0


def test_a_generation_of_a_later_day_stays(served: Settings, client: Any) -> None:
    run(publish, served, "--date", DAY)
    before = read_pointer(client, KEYS).generation
    meta = json.loads(client.get(KEYS.meta(before)))
    client.set(KEYS.meta(before), json.dumps({**meta, "date": "2030-01-01"}))
    run(gate, served)
    run(promote, served)
    assert read_pointer(client, KEYS).generation == before


def test_without_the_gates_word_nothing_goes_live(shop: Settings, client: Any) -> None:
    with pytest.raises(BadInput, match="the gate has not judged this model; run `python -m jobs gate` first"):
        run(promote, shop)
    assert read_pointer(client, KEYS).serial == 0


def test_a_refused_model_does_not_go_live(shop: Settings, challenge: Challenge, client: Any) -> None:
    challenge(backwards)
    with pytest.raises(GateRefused, match=r"may not serve: .* candidate order: NDCG@10 .*The candidate order stays"):
        run(gate, shop)
    with pytest.raises(GateRefused, match=r"the gate refused model .* candidate order: NDCG@10 "):
        run(promote, shop)
    assert read_pointer(client, KEYS).serial == 0


def test_a_verdict_counts_only_against_the_model_that_is_live(
    shop: Settings, folders: ModelFolders, client: Any
) -> None:
    run(gate, shop)
    set_model(client, KEYS, OLD)
    with pytest.raises(GateRefused, match=f"with the candidate order, but model {OLD} is live now: run"):
        run(promote, shop)
    assert read_pointer(client, KEYS).model == OLD
    run(gate, shop)
    run(promote, shop)
    assert read_pointer(client, KEYS).model == folders.newest_evaluated()


def rewritten(path: Path, **changed: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def test_a_verdict_on_another_artifact_or_evaluation_does_not_count(shop: Settings, folders: ModelFolders) -> None:
    run(gate, shop)
    version = folders.newest_evaluated()
    rewritten(folders.evaluation(version), created_at=1.0)
    with pytest.raises(GateRefused, match="was evaluated anew after the gate judged it"):
        run(promote, shop)
    rewritten(folders.gate_record(version), digest="0" * 64)
    with pytest.raises(GateRefused, match="is of another artifact than"):
        run(promote, shop)


def test_forcing_needs_a_reason_and_records_it(shop: Settings, folders: ModelFolders, client: Any) -> None:
    with pytest.raises(SystemExit):
        promote.arg_parser(shop).parse_args(["--force"])
    run(promote, shop, "--force", "the champion sells what is out of stock")
    version = folders.newest_evaluated()
    assert read_pointer(client, KEYS).model == version
    assert json.loads(folders.promotion(version).read_text())["forced"] == "the champion sells what is out of stock"


def test_not_even_forced_a_damaged_model_goes_live(shop: Settings, folders: ModelFolders, client: Any) -> None:
    weights = folders.student("") / "model.safetensors"
    raw = weights.read_bytes()
    weights.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(ArtifactMismatch, match="its sha256 is not the manifest's"):
        run(promote, shop, "--force", "hurry")
    assert read_pointer(client, KEYS).model == ""


def test_withdrawing_leaves_no_model_live(shop: Settings, folders: ModelFolders, client: Any) -> None:
    run(promote, shop, "--force", "test")
    run(promote, shop, "--none")
    pointer = read_pointer(client, KEYS)
    assert (pointer.model, pointer.previous_model) == ("", folders.newest_evaluated())


@pytest.mark.parametrize("argument", ["model", "--model"])
def test_a_rollback_takes_the_model_before(shop: Settings, client: Any, argument: str) -> None:
    set_model(client, KEYS, OLD)
    run(promote, shop, "--force", "test")
    run(rollback, shop, argument)
    assert read_pointer(client, KEYS).model == OLD


def test_a_rollback_of_the_generation_leaves_the_model(served: Settings, folders: ModelFolders, client: Any) -> None:
    run(publish, served, "--date", DAY)
    before = read_pointer(client, KEYS).generation
    run(promote, served, "--force", "test")
    run(rollback, served)
    pointer = read_pointer(client, KEYS)
    assert (pointer.generation, pointer.model) == (before, folders.newest_evaluated())
