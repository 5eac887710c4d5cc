"""What is new of a catalogue is read by a model, kept in the lake, published, and scored from."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.errors import BadInput
from contract.features import feature_names
from contract.keys import Keys
from contract.settings import Settings
from contract.store.publisher import Publisher, set_model
from contract.store.reader import Reader
from jobs.lake import Lake
from jobs.model.dataset import as_example
from jobs.model.folders import ModelFolders
from jobs.serving import encode_items as verb
from jobs.serving.encode_items import catalogue_texts, chosen, encode_items
from jobs.serving.encode_on_spark import coded_rows
from jobs.serving.publish import publish
from jobs.serving.state_table import StateTable, as_rows, remove_tables
from jobs.serving.states import published_states
from reranker.encoding import base_text_encoder
from reranker.export import export_artifact
from reranker.item_coding import ItemCoder, ItemTexts
from reranker.loading import load_reranker
from reranker.start import start_network
from tests.colour_shop import CATALOGUE, SOURCES, query, write_base_model
from tests.jobs.serving.small_tables import DAY, ITEM, LISTS, USER, write
from tests.scenarios import SAMPLE
from tests.split_model import export_split

TITLES = [item.title for item in CATALOGUE.values()]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two students of other weights."""
    base = write_base_model(tmp_path_factory.mktemp("base"))
    encoder = base_text_encoder(base, query_tokens=20, item_tokens=8, template=SAMPLE.text)
    folder = tmp_path_factory.mktemp("models")
    for seed in (1, 2):
        export_split(folder, base, encoder, seed, created_at=float(seed))
    return folder


@pytest.fixture
def students(models: Path) -> list[Path]:
    return sorted((entry for entry in models.iterdir() if entry.is_dir()), key=lambda place: place.name)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    found = Lake(str(tmp_path / "lake"))
    write_items(found, TITLES[:5])
    return found


def write_items(lake: Lake, titles: list[str]) -> None:
    write(lake, "item_features", [{**ITEM, "item_id": f"i{place}", "title": one} for place, one in enumerate(titles)])


def settings(lake: Lake, models: Path, url: str = "redis://127.0.0.1:1/0", **night: Any) -> Settings:
    return Settings(
        _env_file=None,
        night={"lake": lake.root, "models": str(models), **night},
        redis={"url": url, "prefix": "test"},
        training={"threads": 1, "device": "cpu"},
    )


def test_only_what_is_new_is_read(lake: Lake, models: Path, students: list[Path]) -> None:
    chosen = settings(lake, models)
    assert encode_items(lake, DAY, students[0], chosen) == (5, 0)
    assert encode_items(lake, DAY, students[0], chosen) == (0, 5)
    write_items(lake, [*TITLES[2:7], TITLES[2]])  # two gone, two new, one text twice
    assert encode_items(lake, DAY, students[0], chosen) == (2, 3)
    assert len(StateTable(lake, students[0].name).keys()) == 7
    assert encode_items(lake, DAY, students[1], chosen) == (5, 0)  # another model reads all


def test_the_rows_are_what_the_ranker_would_make_on_the_spot(lake: Lake, models: Path, students: list[Path]) -> None:
    encode_items(lake, DAY, students[0], settings(lake, models))
    reads, model = ItemTexts(students[0]), load_reranker(students[0], "cpu", 1)
    texts = catalogue_texts(lake, DAY, reads)
    found = list(StateTable(lake, students[0].name).blocks(texts.keys(), reads.states))
    assert sum(len(block.keys) for block in found) == 5
    assert model.split is not None
    for block in found:
        ends = np.cumsum(block.lengths)
        for key, end, length in zip(block.keys, ends, block.lengths, strict=True):
            rows, _ = model.split.read([texts[key]])
            ours = block.rows[end - length : end].astype(np.float32)
            assert np.abs(ours - rows.float().numpy()).max() <= (1 if block.kind == "int8" else 0.05)


def test_a_generation_carries_the_states_of_its_items_alone(
    lake: Lake, models: Path, students: list[Path], client: Any, keys: Keys
) -> None:
    folders, student = ModelFolders(str(models)), students[0]
    encode_items(lake, DAY, student, settings(lake, models))
    write_items(lake, TITLES[3:6])  # one was never read
    write(lake, "user_features", [USER])
    write(lake, "candidates", LISTS)
    writer = Publisher(client, keys, 600, 600)
    meta, _ = publish(writer, lake, DAY, True, states=published_states(lake, DAY, folders, student.name))
    assert (meta.states_model, meta.states_texts) == (student.name, 2)
    held = {key for block in Reader(client, keys).states(meta) for key in block.keys}
    write_items(lake, TITLES[3:5])
    assert held == set(catalogue_texts(lake, DAY, ItemTexts(student)))


def test_a_model_scores_from_what_was_published(
    lake: Lake, models: Path, students: list[Path], client: Any, keys: Keys
) -> None:
    folders, student, found = ModelFolders(str(models)), students[0], query(3)
    write(lake, "item_features", [{**ITEM, "item_id": one.item_id, "title": one.title, "text": one.text,
                                   "categories": list(one.categories)} for one in CATALOGUE.values()])  # fmt: skip
    write(lake, "user_features", [USER])
    write(lake, "candidates", LISTS)
    encode_items(lake, DAY, student, settings(lake, models))
    states = published_states(lake, DAY, folders, student.name)
    meta, _ = publish(Publisher(client, keys, 600, 600), lake, DAY, True, states=states)
    model, fresh = load_reranker(student, "cpu", 1), load_reranker(student, "cpu", 1)
    assert model.hold(Reader(client, keys).states(meta), meta.states_tokens) > 0
    asked = model.prepare(found.user, found.context, found.candidates, found.items, found.sources)
    for level in model.levels:
        assert np.allclose(model.run(asked, level).final, fresh.run(asked, level).final, atol=0.02)
    assert next(told for told in model.needed() if told[1] == "read") == ("item", "read", 0)


def test_without_states_a_generation_is_published_all_the_same(
    lake: Lake, models: Path, students: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folders = ModelFolders(str(models))
    assert list(published_states(lake, DAY, folders, "")) == []
    assert list(published_states(lake, DAY, folders, students[0].name)) == []
    assert "item states of 0 of 5 texts" in capsys.readouterr().out
    assert list(published_states(lake, DAY, folders, "20240331-0123456789ab")) == []
    assert "published without item states: " in capsys.readouterr().out


def test_the_model_meant_is_the_live_one_or_the_one_named(
    lake: Lake, models: Path, students: list[Path], client: Any, valkey_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = settings(lake, models, valkey_url)
    assert chosen("20240331-0123456789ab", ModelFolders(str(models)), asked) == "20240331-0123456789ab"
    verb.main(verb.arg_parser(asked).parse_args([]), asked)
    assert "no model is live" in capsys.readouterr().out
    set_model(client, Keys("test"), students[1].name)
    verb.main(verb.arg_parser(asked).parse_args(["--date", DAY]), asked)
    assert f"by model {students[1].name}: 5 texts read" in capsys.readouterr().out


def test_a_table_that_is_damaged_is_named_and_does_not_stop_a_generation(
    lake: Lake, models: Path, students: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    encode_items(lake, DAY, students[0], settings(lake, models))
    [file] = (Path(lake.root) / "item_states" / students[0].name).glob("*/*.parquet")
    whole = pq.read_table(file)
    pq.write_table(whole.set_column(2, "rows", pa.array([b"short"] * len(whole), pa.binary())), file)
    assert list(published_states(lake, DAY, ModelFolders(str(models)), students[0].name)) == []
    assert "as far as they can be read" in capsys.readouterr().out
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(BadInput, match="remove the folder"):
        encode_items(lake, DAY, students[0], settings(lake, models))
    assert list(published_states(lake, DAY, ModelFolders(str(models)), students[0].name)) == []


def test_a_live_model_without_states_does_not_stop_the_night(
    lake: Lake, models: Path, client: Any, valkey_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = settings(lake, models, valkey_url)
    set_model(client, Keys("test"), "20240331-0123456789ab")
    verb.main(verb.arg_parser(asked).parse_args(["--date", DAY]), asked)
    assert "no item states of 2011-12-09 by the live model" in capsys.readouterr().out
    with pytest.raises(BadInput):
        verb.main(verb.arg_parser(asked).parse_args(["--date", DAY, "--version", "20240331-0123456789ab"]), asked)


def test_tables_of_models_that_are_gone_are_removed(lake: Lake, models: Path, students: list[Path]) -> None:
    for student in students:
        encode_items(lake, DAY, student, settings(lake, models))
    assert remove_tables(lake, {students[0].name}) == [students[1].name]
    assert len(StateTable(lake, students[0].name).keys()) == 5
    assert StateTable(lake, students[1].name).keys() == set()
    assert remove_tables(Lake(f"{lake.root}/nowhere"), set()) == []


def test_spark_partitions_make_the_same_rows(students: list[Path]) -> None:
    texts = ItemTexts(students[0]).of(CATALOGUE.values())
    keys, ids = pa.array(texts, pa.binary()), pa.array([list(one) for one in texts.values()], pa.list_(pa.int32()))
    batch = pa.record_batch({"key": keys, "ids": ids})
    found = pa.Table.from_batches(coded_rows(str(students[0]), "cpu", 1, iter([batch])))
    wanted = pa.Table.from_batches([as_rows(part) for part in ItemCoder(students[0], "cpu", 1).coded(texts)])
    assert found["key"].to_pylist() == wanted["key"].to_pylist()
    assert found["length"].to_pylist() == [len(texts[key]) + 2 for key in found["key"].to_pylist()]
    assert found["rows"].combine_chunks().equals(wanted["rows"].combine_chunks())


def test_a_large_catalogue_is_read_on_spark(lake: Lake, models: Path, students: list[Path]) -> None:
    assert encode_items(lake, DAY, students[0], settings(lake, models, spark_texts=1)) == (5, 0)
    files = list((Path(lake.root) / "item_states" / students[0].name / f"day={DAY}").glob("*.parquet"))
    assert sum(pq.read_table(file).num_rows for file in files) == 5
    assert encode_items(lake, DAY, students[0], settings(lake, models, spark_texts=1)) == (0, 5)


def test_a_model_that_is_no_split_network_has_no_states(tmp_path: Path) -> None:
    base = write_base_model(tmp_path / "base")
    encoder = base_text_encoder(base, query_tokens=20, item_tokens=8, template=SAMPLE.text)
    whole = export_artifact(
        tmp_path, start_network(base, encoder, [as_example(query(1), encoder)], 1), encoder, [query(1).golden(6)],
        role="student", date=DAY, created_at=0.0, base_model="tiny", feature_names=feature_names(SOURCES),
        training={}, metrics={},
    )  # fmt: skip
    for refused in (lambda: ItemTexts(whole), lambda: ItemCoder(whole, "cpu", 1)):
        with pytest.raises(BadInput, match="is a whole cross-encoder"):
            refused()
    with pytest.raises(ValueError, match="has no item states"):
        load_reranker(whole, "cpu", 1).hold([], 0)
