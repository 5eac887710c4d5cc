"""What an evaluation says where there is nothing to tell."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.errors import BadInput
from contract.settings import Settings
from jobs.lake import Lake
from jobs.model.baselines.registry import Known
from jobs.model.bench import Bench
from jobs.model.comparison import compared
from jobs.model.rankers import candidate_order, flat_share
from jobs.model.report import rankers_told
from reranker.prepared import PairScores
from tests.colour_shop import DAY, queries, write_lake
from tests.jobs.model.conftest import shop_settings
from tests.scenarios import SAMPLE


class Scores:
    """Stands for a network: gives a query's candidates these scores, or their first ones."""

    version = "20240331-000000000000"
    levels = ("full",)

    def __init__(self, *scores: float) -> None:
        self._scores = np.array(scores, np.float32)

    def prepare(self, user, context, candidates, items, sources) -> int:
        return len(candidates)

    def read_ahead(self, items) -> None: ...

    def run(self, length: int, level: str) -> PairScores:
        return PairScores(np.resize(self._scores, length), np.resize(self._scores, length))


def bench(lake: Path, settings: Settings, *scores: float) -> Bench:
    return Bench(Known(Lake(str(lake)), DAY, SAMPLE, settings), {"student": Scores(*scores)}, {}, depth=9)


@pytest.fixture
def settings(base: Path, lake_root: Path, tmp_path: Path) -> Settings:
    return shop_settings(base, lake_root, tmp_path)


def test_a_model_that_orders_nothing_is_told(lake_root: Path, settings: Settings) -> None:
    found, _, _ = bench(lake_root, settings, 0.25).measure("basket")
    assert found.flat == {"student": 1.0}
    assert found.rankers["student"].gain.mean == 0
    assert found.calibration["student"].slope == 0  # it says the same of every candidate
    assert rankers_told(found) == "12 queries. In 100% of them the student gives all candidates one score."


def test_a_score_that_is_no_number_is_refused(lake_root: Path, settings: Settings) -> None:
    with pytest.raises(BadInput, match=r"student 20240331-0{12} gives query q\d+ a score that is no number"):
        bench(lake_root, settings, 1.0, np.nan).measure("basket")


def test_queries_whose_candidates_nobody_took_tell_nothing(tmp_path: Path, settings: Settings) -> None:
    root = write_lake(tmp_path / "lake", train=2, validation=2, test=4)
    place = root / "training_pairs" / f"day={DAY}" / "part-0.parquet"
    rows = pq.read_table(place).to_pylist()
    pq.write_table(pa.Table.from_pylist([{**row, "labels": ["elsewhere"]} for row in rows]), place)
    without = bench(root, settings, 2.0, 1.0)
    with pytest.raises(BadInput, match="none of 4 test queries of task basket has a taken item among its first 9"):
        without.measure("basket")
    assert not without.has("next_visit")


def test_a_score_for_all_keeps_the_order_and_is_counted(lake_root: Path, settings: Settings) -> None:
    assert flat_share({"a": np.zeros(3, np.float32), "b": np.array([0, 1], np.float32)}) == 0.5
    assert flat_share({"one candidate": np.zeros(1, np.float32), "none": np.zeros(0, np.float32)}) == 0.0
    found, times, single = bench(lake_root, settings, 9, 8, 7, 6, 5, 4, 3, 2, 1).measure("basket")
    assert found.flat == {"student": 0.0}
    assert found.rankers["student"].gain.mean == 0  # the scores fall as the candidates stand
    assert len(times) == len(single.query_ids) == found.queries == 12


def test_each_task_has_its_queries_and_only_the_learned_one_is_calibrated(lake_root: Path, settings: Settings) -> None:
    one = bench(lake_root, settings, 1, 3, 2)
    assert one.has("next_visit")
    basket, visit = one.measure("basket")[0], one.measure("next_visit")[0]
    assert (basket.task, visit.task) == ("basket", "next_visit")
    assert set(basket.calibration) == {"student"}
    assert visit.calibration == {}


def test_a_difference_is_paired_over_all_queries_and_in_every_segment(lake_root: Path, settings: Settings) -> None:
    """One ranker is right where the other is wrong, in turn: means alike, an interval far wider than nothing."""
    asked = queries(8)
    past = Known(Lake(str(lake_root)), DAY, SAMPLE, settings).past
    right = {query.query_id: tuple(sorted(query.labels)) for query in asked}
    wrong = {query.query_id: ("nothing",) for query in asked}
    even = {id: (right if number % 2 else wrong)[id] for number, id in enumerate(right)}
    rankings = {"candidate order": candidate_order(asked), "student": even, "item-kNN": right}
    rows, parts, differences, single = compared(asked, rankings, past, seed=1)
    (found,) = differences
    assert single.ndcg10["student"].tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    assert (found.of, found.less) == ("student", "item-kNN")
    assert found.ndcg10.mean == pytest.approx(-0.5)
    assert found.ndcg10.mean == pytest.approx(rows["student"].ndcg10.mean - rows["item-kNN"].ndcg10.mean)
    assert single.ndcg10["student"].tolist() == [0, 1] * 4
    assert -1 < found.ndcg10.low < found.ndcg10.mean < found.ndcg10.high < 0
    assert set(found.segments) == set(parts)
    for name, part in parts.items():
        assert found.segments[name].mean == pytest.approx(part.ndcg10["student"].mean - part.ndcg10["item-kNN"].mean)
