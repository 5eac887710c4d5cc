"""From Parquet rows of one day to a live generation."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.errors import BadInput, PublishRefused
from contract.keys import Keys
from contract.records import ItemRecord, Through, UserRecord
from contract.store.publisher import Publisher, set_model
from contract.store.reader import Reader
from jobs.lake import Lake
from jobs.serving.publish import publish, refuse_older, refuse_other_space
from tests.jobs.serving.small_tables import DAY, ENTRIES, ITEM, LISTS, USER, write, write_tables


@pytest.fixture
def written(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path))
    write_tables(lake)
    return lake


def publisher(client: Any, keys: Keys) -> Publisher:
    return Publisher(client, keys, staging_ttl_seconds=600, retired_ttl_seconds=60, number_now=lambda: 1)


def test_attributes_are_served_as_the_map_they_were(client: Any, keys: Keys, written: Lake) -> None:
    path = Path(written.path("item_features", DAY)) / "part.parquet"
    maps = pa.array([[("brand", "Oak"), ("size", "L")]], pa.map_(pa.string(), pa.string()))
    pq.write_table(pq.read_table(path).append_column("attributes", maps), path)
    publish(publisher(client, keys), written, DAY, repeats=True)
    assert Reader(client, keys).items(1, ["ä:1"])["ä:1"].attributes == {"brand": "Oak", "size": "L"}


def test_every_row_is_served_as_it_stood_in_the_lake(client: Any, keys: Keys, written: Lake) -> None:
    meta, pointer = publish(publisher(client, keys), written, DAY, repeats=True)
    reader = Reader(client, keys)
    assert pointer.generation == 1
    assert meta.counts == {
        "item": 1,
        "user": 1,
        "candidates-segment": 1,
        "candidates-user": 1,
        "candidates-item": 1,
    }
    assert reader.items(1, ["ä:1"])["ä:1"] == ItemRecord(**{**ITEM, "categories": ("light",)})
    found = reader.query(1, "u", ["ä:1"], ["all"])
    assert found.user == UserRecord(**{**USER, "history": ("ä:1",)})
    popular = found.segment_candidates["all"]
    assert popular.item_ids == ("ä:1", "b")
    assert popular.source.tolist() == [1, 0]
    assert popular.scores.tolist() == [[0.0, 1.0], [0.5, 0.25]]
    assert found.user_candidates is not None
    assert found.user_candidates.item_ids == ("b",)
    assert len(found.item_candidates["ä:1"]) == 0


def test_a_generation_carries_what_became_of_the_slates_before_it(client: Any, keys: Keys, written: Lake) -> None:
    meta, _ = publish(publisher(client, keys), written, DAY, repeats=True)
    assert meta.through == Through(slates=0, click=None, purchase=None)  # a lake of before
    write(written, "slate_through", [{"slates": 40, "click": 0.25, "purchase": None}])
    publish(publisher(client, keys), written, DAY, repeats=True)
    assert Reader(client, keys).meta(2).through == Through(slates=40, click=0.25, purchase=None)


def test_lists_of_other_sources_are_refused_and_the_live_generation_stays(
    client: Any, keys: Keys, written: Lake
) -> None:
    publish(publisher(client, keys), written, DAY, repeats=True)
    write(written, "candidates", [LISTS[0], {**LISTS[1], "sources": ["popularity", "als"]}])
    with pytest.raises(BadInput, match="beside lists of"):
        publish(publisher(client, keys), written, DAY, repeats=True)
    assert Reader(client, keys).pointer().generation == 1


def test_an_id_that_no_list_can_hold_is_told_with_where_it_stands(client: Any, keys: Keys, written: Lake) -> None:
    """No import takes it any more; a lake may have it from before."""
    write(written, "candidates", [LISTS[0], {**LISTS[1], "entries": [{**ENTRIES[0], "item_id": "b\0c"}]}])
    with pytest.raises(BadInput, match=r"candidates of user 'u': 1 entries: an item id has a NUL.*items.*again"):
        publish(publisher(client, keys), written, DAY, repeats=True)
    assert not Reader(client, keys).pointer().generation


def test_a_missing_table_is_named_and_nothing_is_written(client: Any, keys: Keys, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    write(lake, "candidates", LISTS)
    with pytest.raises(BadInput, match="item_features"):
        publish(publisher(client, keys), lake, DAY, repeats=True)
    assert client.dbsize() == 0


def test_an_empty_table_is_not_published(client: Any, keys: Keys, written: Lake) -> None:
    folder = Path(written.path("candidates", DAY))
    pq.write_table(pq.read_table(folder / "part.parquet").slice(0, 0), folder / "part.parquet")
    with pytest.raises(BadInput, match="empty generation"):
        publish(publisher(client, keys), written, DAY, repeats=True)


def test_a_backfill_does_not_replace_a_later_day(client: Any, keys: Keys, written: Lake) -> None:
    reader = Reader(client, keys)
    refuse_older(reader, DAY)  # nothing is live
    publish(publisher(client, keys), written, DAY, repeats=True)
    for day in (DAY, "2011-12-10"):
        refuse_older(reader, day)
    with pytest.raises(PublishRefused, match="generation 1 of 2011-12-09 is live, and 2011-12-08 is older: it stays"):
        refuse_older(reader, "2011-12-08")
    client.delete(keys.meta(1))
    refuse_older(reader, "2011-12-08")  # what is live cannot be read


def test_a_live_model_is_not_given_the_vectors_of_another_base_model(client: Any, keys: Keys, written: Lake) -> None:
    reader = Reader(client, keys)
    write(written, "item_features", [{**ITEM, "vector_space": "old"}])
    meta, _ = publish(publisher(client, keys), written, DAY, repeats=True)
    assert meta.vector_space == reader.meta(1).vector_space == "old"
    write(written, "item_features", [{**ITEM, "vector_space": "new"}])
    refuse_other_space(reader, written, DAY)  # no model is live: nobody reads vectors
    set_model(client, keys, "20240331-0123456789ab")
    with pytest.raises(PublishRefused, match=r"vectors of base model new, .* 20240331-0123456789ab .* those of old"):
        refuse_other_space(reader, written, DAY)
    write(written, "item_features", [{**ITEM, "vector_space": "old"}])
    refuse_other_space(reader, written, DAY)


def test_vectors_of_two_base_models_in_one_day_are_not_published(client: Any, keys: Keys, written: Lake) -> None:
    write(written, "item_features", [{**ITEM, "vector_space": "a"}, {**ITEM, "item_id": "b", "vector_space": "b"}])
    with pytest.raises(BadInput, match="vectors of 2 base models; run the job that writes it again"):
        publish(publisher(client, keys), written, DAY, repeats=True)
    assert not Reader(client, keys).pointer().generation
