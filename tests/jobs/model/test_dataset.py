from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.errors import BadInput
from contract.features import feature_names
from jobs.lake import Lake
from jobs.model.dataset import Query, names_of, read_queries
from tests.colour_shop import CATALOGUE, DAY, SOURCES, pair_row, queries, query, write_lake


def read(root: Path, split: str = "train", limit: int = 100, seed: int = 3, hit: bool = True) -> list[Query]:
    return read_queries(Lake(str(root)), DAY, split, "basket", limit, seed, candidates=9, hit=hit)


def rewrite(root: Path, rows: list[dict[str, object]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), root / "training_pairs" / f"day={DAY}" / "part-0.parquet")
    return root


def test_a_query_comes_back_as_the_records_that_it_was(lake_root: Path) -> None:
    found = {one.query_id: one for one in read(lake_root)}
    assert len(found) == 48
    for number in (0, 1):  # a query of nobody, and one of a user
        wanted, got = query(number), found[f"q{number:03}"]
        assert (got.user, got.context, got.labels) == (wanted.user, wanted.context, wanted.labels)
        assert got.candidates.item_ids == wanted.candidates.item_ids
        assert np.allclose(got.candidates.scores, wanted.candidates.scores)
        assert np.allclose(got.features(), wanted.features())
        assert got.hits.tolist() == [float(item_id in wanted.labels) for item_id in wanted.candidates.item_ids]
    assert found["q001"].items == CATALOGUE
    assert names_of(list(found.values())) == feature_names(SOURCES)


def test_splits_do_not_mix(lake_root: Path) -> None:
    ids = [{one.query_id for one in read(lake_root, split)} for split in ("train", "validation", "test")]
    assert [len(split) for split in ids] == [48, 6, 16]
    assert len(set.union(*ids)) == 70


def test_the_draw_is_the_seeds_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake", 30, 1, 1)
    drawn = [one.query_id for one in read(root, limit=8)]
    rewrite(root, [pair_row(one, "train") for one in reversed(queries(30))])
    assert [one.query_id for one in read(root, limit=8)] == drawn
    assert len(set(drawn)) == 8
    assert [one.query_id for one in read(root, limit=8, seed=4)] != drawn


def test_a_query_without_a_taken_candidate_teaches_nothing_but_is_measured(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake", 3, 1, 1)
    rows = [pair_row(one, "train") for one in queries(3)]
    rows[1]["labels"] = ["an item that nobody proposed"]
    rewrite(root, rows)
    assert [one.query_id for one in read(root)] == ["q000", "q002"]
    assert [one.query_id for one in read(root, hit=False)] == ["q000", "q001", "q002"]


def test_lists_are_cut_before_they_are_looked_at(lake_root: Path) -> None:
    found = read_queries(Lake(str(lake_root)), DAY, "train", "basket", 100, 3, candidates=2, hit=True)
    assert {len(one.candidates) for one in found} == {2}
    assert all(one.hits.sum() > 0 for one in found)
    assert len(found) < 48


def test_an_item_of_the_context_that_the_catalogue_lost_is_left_out(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake", 1, 1, 1)
    row = pair_row(query(0), "train")
    row["context"] = ["gone", *row["context"]]
    assert [item.item_id for item in read(rewrite(root, [row]))[0].context] == row["context"][1:]


def test_a_day_without_pairs_is_refused(lake_root: Path) -> None:
    with pytest.raises(BadInput, match="run the job that writes"):
        read_queries(Lake(str(lake_root)), "2023-01-01", "train", "basket", 10, 3, 9, hit=True)


def test_pairs_without_any_positive_are_refused_with_advice(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake", 2, 1, 1)
    rewrite(root, [{**pair_row(one, "train"), "labels": ["elsewhere"]} for one in queries(2)])
    with pytest.raises(BadInput, match="no train query of task basket has a taken item among its candidates: import"):
        read(root)


def test_rows_of_other_sources_are_refused(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake", 2, 1, 1)
    first, second = (pair_row(one, "train") for one in queries(2))
    second["sources"] = list(reversed(second["sources"]))
    rewrite(root, [first, second])
    with pytest.raises(BadInput, match="differing sources; run training_pairs again"):
        read(root)


def test_a_split_without_queries_is_empty_where_it_is_not_needed(tmp_path: Path) -> None:
    root = write_lake(tmp_path / "lake", 2, 0, 1)
    with pytest.raises(BadInput, match="no validation query"):
        read(root, "validation")
    assert read_queries(Lake(str(root)), DAY, "validation", "basket", 5, 3, 9, hit=False, needed=False) == []
