from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.errors import BadInput
from jobs.lake import Lake
from jobs.model.draw import draw
from jobs.model.stream import QueryStream
from reranker.batches import Pending
from reranker.encoding import TextEncoder, base_text_encoder
from tests.colour_shop import DAY, pair_row, queries, write_lake
from tests.scenarios import SAMPLE


@pytest.fixture(scope="module")
def encoder(base: Path) -> TextEncoder:
    return base_text_encoder(base, query_tokens=20, item_tokens=8, template=SAMPLE.text)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 train queries in five files of two row groups each."""
    root = write_lake(tmp_path_factory.mktemp("stream") / "lake", 1, 1, 1)
    return write_pairs(root, [pair_row(one, "train") for one in queries(90)], files=5, group=9)


def write_pairs(root: Path, rows: list[dict[str, Any]], files: int, group: int) -> Path:
    folder = root / "training_pairs" / f"day={DAY}"
    for old in folder.glob("*.parquet"):
        old.unlink()
    for number in range(files):
        pq.write_table(
            pa.Table.from_pylist(rows[number::files]), folder / f"part-{number}.parquet", row_group_size=group
        )
    return root


def stream(root: Path, encoder: TextEncoder, block: int, limit: int = 1000, seed: int = 3) -> QueryStream:
    lake = Lake(str(root))
    drawn = draw(lake, DAY, "train", "basket", limit, seed, candidates=9, hit=True)
    return QueryStream(lake, DAY, drawn, 9, encoder, block)


def ids(found: QueryStream, epoch: int = 0, skip: int = 0, seed: int = 5) -> list[str]:
    return [query_id(pending) for pending in found.epoch(seed, epoch, skip)]


def query_id(pending: Pending) -> str:
    return pending.example.args[0].query_id  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("block", [1000, 64, 16])
def test_an_epoch_holds_every_query_once_in_an_order_of_its_own(root: Path, encoder: TextEncoder, block: int) -> None:
    found = stream(root, encoder, block)
    orders = [ids(found, epoch) for epoch in (0, 1)]
    assert [sorted(order) for order in orders] == [[f"q{number:03}" for number in range(90)]] * 2
    assert ids(found) == orders[0] != orders[1]
    assert ids(found, seed=6) != orders[0]


@pytest.mark.parametrize("skip", [0, 1, 15, 16, 17, 63, 89, 90])
def test_an_epoch_goes_on_at_any_place_as_if_it_had_never_stopped(root: Path, encoder: TextEncoder, skip: int) -> None:
    found = stream(root, encoder, 16)
    assert ids(found, skip=skip) == ids(found)[skip:]


def test_a_block_mixes_what_lay_together(root: Path, encoder: TextEncoder) -> None:
    """Blocks of 45 of files of 18: neighbours in the files are no neighbours in the stream."""
    places = [int(query_id[1:]) // 5 for query_id in ids(stream(root, encoder, 45))]
    assert np.mean(np.abs(np.diff(places)) == 1) < 0.3


def test_what_fits_into_a_block_has_an_order_that_the_files_do_not_change(
    root: Path, encoder: TextEncoder, tmp_path: Path
) -> None:
    other = write_lake(tmp_path / "lake", 1, 1, 1)
    write_pairs(other, [pair_row(one, "train") for one in reversed(queries(90))], files=1, group=90)
    whole, again = stream(root, encoder, 90, limit=40), stream(other, encoder, 90, limit=40)
    assert ids(whole) == ids(again)
    assert [one.query_id for one in whole.sample(7)] == [one.query_id for one in again.sample(7)]
    assert len(ids(whole)) == len(whole) == 40
    assert {one.query_id for one in whole.sample(100)} == set(ids(whole))


def test_other_files_have_another_fingerprint(root: Path, tmp_path: Path) -> None:
    lakes = [
        write_pairs(
            write_lake(tmp_path / name, 1, 1, 1), [pair_row(one, "train") for one in queries(20)], files=1, group=group
        )
        for name, group in (("one", 20), ("other", 5))
    ]
    prints = {
        draw(Lake(str(lake)), DAY, "train", "basket", limit, 3, 9, hit=True).fingerprint
        for lake in lakes
        for limit in (20, 19)
    }
    assert len(prints) == 4


def broken(root: Path, **changes: Any) -> Path:
    rows = [pair_row(one, "train") for one in queries(3)]
    return write_pairs(root, [{**rows[0]}, {**rows[1], **changes}, {**rows[2]}], files=1, group=3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_feature_that_is_no_number_is_named_with_its_query(tmp_path: Path, encoder: TextEncoder, bad: float) -> None:
    row = pair_row(queries(2)[1], "train")
    row["entries"][4]["scores"] = (0.5, bad)
    root = broken(write_lake(tmp_path / "lake", 1, 1, 1), entries=row["entries"])
    item = row["entries"][4]["item_id"]
    with pytest.raises(BadInput, match=f"query q001: the feature source:noise of its candidate {item} is {bad}"):
        [pending.example() for pending in stream(root, encoder, 64).epoch(5, 0, 0)]


def test_rows_of_other_sources_are_refused(tmp_path: Path, encoder: TextEncoder) -> None:
    root = broken(write_lake(tmp_path / "lake", 1, 1, 1), sources=["noise", "helpful"])
    with pytest.raises(BadInput, match="differing sources; run training_pairs again"):
        ids(stream(root, encoder, 64))
