"""For whom the demo calls: the settings' user and item where the live generation knows them, else ones it knows."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.codec import CandidateList, encode_candidates, encode_record
from contract.keys import Keys
from contract.records import ItemRecord
from contract.settings import Settings
from contract.store.publisher import Publisher
from ops.embedded.first_call import Query, choose_query


@pytest.fixture
def generation(client: Any) -> int:
    """A live generation that has candidates for user u1 and item i1."""
    publisher = Publisher(client, Keys("demo"), 3600, 3600)
    number = publisher.open()
    one = encode_candidates(CandidateList(("i2",), np.zeros(1, np.uint8), np.ones((1, 1), np.float32)))
    publisher.write(number, "candidates-user", "u1", one)
    publisher.write(number, "candidates-item", "i1", one)
    publisher.write(number, "item", "i2", encode_record(ItemRecord("i2", "second")))
    publisher.seal(number, "2026-01-01", ["als"], [1.0])
    publisher.flip(number)
    return number


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    for day, user, item in (("2026-01-01", "old-user", "old-item"), ("2026-01-02", "u7", "i7")):
        folder = tmp_path / "lake" / "candidates" / f"day={day}"
        folder.mkdir(parents=True)
        rows = pa.table({"kind": ["segment", "item", "user"], "key": ["all", item, user]})
        pq.write_table(rows, folder / "part-0.parquet")
    return tmp_path / "lake"


def settings(url: str, lake: Path, **demo: str) -> Settings:
    return Settings(_env_file=None, redis={"url": url, "prefix": "demo"}, night={"lake": str(lake)}, demo=demo)


def test_the_set_user_and_item_are_asked_for_where_they_are_known(valkey_url: str, lake: Path, generation: int) -> None:
    assert choose_query(settings(valkey_url, lake, user="u1", item="i1"), generation) == Query("u1", "i1")


def test_on_other_data_a_known_user_and_item_are_picked(valkey_url: str, lake: Path, generation: int) -> None:
    assert choose_query(settings(valkey_url, lake, user="17850", item="85123A"), generation) == Query("u7", "i7")
