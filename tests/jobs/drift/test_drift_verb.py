"""The verb on a small lake: a model of one day, and days on which more and more is another."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.errors import BadInput
from contract.keys import Keys
from contract.settings import Drift, Redis, Settings
from contract.slo import Verdict
from contract.store.publisher import set_model
from jobs.candidates.rows import as_candidates
from jobs.drift import check
from jobs.drift.record import Record, last_set_off
from jobs.model import prune, train
from tests.colour_shop import CATALOGUE, DAY, SOURCES, as_table, item_row, queries, write_base_model, write_lake
from tests.jobs.model.conftest import shop_settings

LATER = "2024-04-20"
SHOPPERS = [query for query in queries(90) if query.user]


def write(root: Path, table: str, day: str, rows: pa.Table | list[dict[str, Any]]) -> None:
    folder = root / table / f"day={day}"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows if isinstance(rows, pa.Table) else as_table(rows), folder / "part.parquet")


def publish(root: Path, day: str, dearer: float = 1.0, popular: int = 0, more: int = 0) -> None:
    """What a night of `day` leaves: prices times `dearer`, `popular` more choices of each item, `more` new items."""
    items = [item_row(item) for item in CATALOGUE.values()]
    items += [{**items[0], "item_id": f"new-{number}"} for number in range(more)]
    for item in items:
        counts = {name: item[name] + popular for name in ("popularity_7d", "popularity_30d", "buyers_30d")}
        item |= {"price": item["price"] * dearer, **counts}
    write(root, "item_features", day, items)
    users = [msgspec.structs.asdict(query.user) for query in SHOPPERS]
    write(root, "user_features", day, [{**user, "history": list(user["history"])} for user in users])
    lists = [("user", query.user.user_id, query.candidates) for query in SHOPPERS]
    lists += [("item", query.context[0].item_id, query.candidates) for query in SHOPPERS[:8]]
    lists = list({(kind, key): (kind, key, found) for kind, key, found in lists}.values())
    write(root, "candidates", day, pa.Table.from_batches([as_candidates(SOURCES, [1.0, 0.5], lists)]))
    events = [{"item_id": f"new-{number}", "type": "purchase"} for number in range(more)]
    write(root, "events", day, [*events, *({"item_id": item_id, "type": "purchase"} for item_id in CATALOGUE)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A lake with the model's day, and a model of it."""
    root = tmp_path_factory.mktemp("drift")
    lake = write_lake(root / "lake", train=8, validation=2, test=4)
    publish(lake, DAY)
    settings = shop_settings(write_base_model(root / "base"), lake, root / "models")
    training = settings.training.model_copy(update={"epochs": 1, "distil_epochs": 1})
    bounds = Drift(sample_queries=20, rows_min=30, min_days_between=0)
    settings = settings.model_copy(update={"training": training, "drift": bounds})
    for verb in (train, prune):
        verb.main(verb.arg_parser(settings).parse_args([]), settings)
    return settings


@pytest.fixture
def look(
    trained: Settings, tmp_path: Path, valkey_url: str, client: Any
) -> Callable[..., tuple[Record, dict[str, Any]]]:
    """Runs the verb for a day of a copy of the lake and the models: the record, and the decision for the caller."""
    lake, models = tmp_path / "lake", tmp_path / "models"
    shutil.copytree(trained.night.lake, lake)
    shutil.copytree(trained.night.models, models)

    def run(day: str = LATER, published: bool = True, **changes: Any) -> tuple[Record, dict[str, Any]]:
        drift = {name: changes.pop(name) for name in list(changes) if name in Drift.model_fields}
        if published:
            publish(lake, day, **changes)
        settings = trained.model_copy(
            update={
                "drift": trained.drift.model_copy(update=drift),
                "night": trained.night.model_copy(update={"lake": str(lake), "models": str(models)}),
                "redis": Redis(url=valkey_url, prefix="drift", publish_timeout_seconds=5.0),
            }
        )
        answer = tmp_path / "run" / "decision.json"
        arguments = ["--date", day, "--decision", str(answer)]
        check.main(check.arg_parser(settings).parse_args(arguments), settings)
        raw = (models / "drift" / f"{day}.json").read_bytes()
        return msgspec.json.decode(raw, type=Record), json.loads(answer.read_text())

    run.lake, run.models = lake, models  # type: ignore[attr-defined]
    return run


def verdicts(record: Record) -> dict[str, Verdict]:
    return {signal.name: signal.verdict for signal in record.signals}


def test_a_day_like_the_models_sets_off_nothing(look: Any) -> None:
    record, decision = look()
    assert set(verdicts(record).values()) == {Verdict.OK, Verdict.UNKNOWN}
    assert [name for name, verdict in verdicts(record).items() if verdict is Verdict.UNKNOWN] == [
        "impressions of unknown items"
    ]
    assert (record.model_date, record.date, record.set_off_at) == (DAY, LATER, None)
    assert decision == {"retrain": False, "why": record.decision.why}


def test_prices_and_popularity_that_moved_and_new_items_set_off_a_training(look: Any, capsys: Any) -> None:
    record, decision = look(dearer=3.0, popular=500, more=16)
    found = {signal.name: signal for signal in record.signals}
    assert found["item features"].verdict is Verdict.MISS
    assert {"price", "popularity_7d", "popularity_30d", "buyers_30d"} <= {
        one.name for one in found["item features"].columns if one.verdict is Verdict.MISS
    }
    assert found["user features"].value == 0
    assert "mean_price" in {one.name for one in found["user features"].columns}  # known of nobody, on either day
    assert {"log_popularity_7d", "log_buyers_30d"} <= {
        one.name for one in found["features of candidates"].columns if one.verdict is Verdict.MISS
    }
    assert found["scores"].verdict is Verdict.MISS
    assert found["items that are new"].value == pytest.approx(16 / 48)
    assert found["items that are gone"].value == 0
    assert found["positive events on unknown items"].value == pytest.approx(16 / 48)
    assert decision["retrain"]
    assert record.set_off_at == record.created_at
    assert "drift 2024-04-20: train again: past its bound: item features" in capsys.readouterr().out
    page = (look.models / "drift" / f"{LATER}.html").read_text()
    assert "<td>price</td><td>MISS</td>" in page
    assert "| item features | MISS |" in (look.models / "drift" / f"{LATER}.md").read_text()


def test_the_next_day_waits_though_the_record_of_the_first_is_written_again(look: Any) -> None:
    moved = {"dearer": 3.0, "popular": 500}
    first, _ = look(**moved)
    again, decision = look(published=False, min_days_between=7)
    assert first.decision.retrain
    assert not decision["retrain"]
    assert "must lie between" in decision["why"]
    assert again.set_off_at == first.set_off_at == last_set_off(look.models / "drift")


def test_the_model_that_is_live_is_the_one_looked_at(look: Any, client: Any) -> None:
    set_model(client, Keys("drift"), "20240101-000000000000")
    with pytest.raises(BadInput, match="no model '20240101-000000000000'"):
        look()


def test_a_days_tables_that_are_gone_are_unknown_and_not_moved(look: Any) -> None:
    for table in ("item_features", "candidates"):
        shutil.rmtree(look.lake / table / f"day={DAY}")
    record, decision = look(dearer=3.0, popular=500, more=1)
    assert [name for name, verdict in verdicts(record).items() if verdict is not Verdict.UNKNOWN] == [
        "user features",
        "positive events on unknown items",  # what was known is in training_items
    ]
    assert not decision["retrain"]


def test_a_day_without_features_is_refused(look: Any) -> None:
    with pytest.raises(BadInput, match="run `python -m jobs features --date 2024-04-21`"):
        look("2024-04-21", published=False)


def test_without_a_model_there_is_nothing_to_compare(look: Any) -> None:
    shutil.rmtree(look.models)
    record, decision = look()
    assert (record.version, record.signals) == ("", ())
    assert decision == {"retrain": False, "why": "there is no model yet; reranker_weekly trains the first"}
