"""Which student is picked, what was lost, and what people read of it."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import msgspec
import numpy as np
import pytest

from jobs.model.frontier import Frontier, Losses, Point, pick, write_frontier
from jobs.model.frontier_page import markdown
from jobs.model.losses import relative_loss
from reranker.manifest import LayerShape, Loss


def losses(final: float, text: float = 0.0) -> Losses:
    return Losses(0.2, 0.1, Loss(final, final - 0.01, final + 0.01), Loss(text, None, None))


def point(speedup: float, after: Losses | None, before: Losses | None = None) -> Point:
    shape = (LayerShape(4, 64), LayerShape(3, 56))
    return Point((0, 3), 0.5, shape, 2_000_000, 3e6, speedup, "float16", before or losses(0.3, 0.4), after)


def test_the_fastest_that_loses_no_more_than_allowed_of_either_score_is_picked() -> None:
    points = [point(1.0, losses(0, 0)), point(2.0, losses(0.01, 0.0)), point(3.0, losses(0.0, 0.02))]
    assert pick(points, 0.01, 0) == (1, True)
    assert pick(points, 0.02, 0) == (2, True)


def test_the_least_loss_among_those_fast_enough_is_picked() -> None:
    points = [point(1.0, losses(0, 0)), point(2.5, losses(0.03, 0.0)), point(3.0, losses(0.0, 0.02))]
    assert pick(points, 0.01, 2.5) == (2, True)


def test_where_none_holds_the_bound_the_nearest_is_picked_and_it_is_said() -> None:
    points = [point(1.5, losses(0.05, 0.02)), point(3.0, losses(0.04, 0.04)), point(4.0, None)]
    assert pick(points, 0.01, 0) == (1, False)
    assert pick(points, 0.01, 9.0) == (2, False)


def test_a_point_that_was_not_recovered_is_judged_as_it_is() -> None:
    assert pick([point(4.0, None, losses(0.0, 0.0)), point(3.0, losses(0.0))], 0.01, 0) == (0, True)


def test_the_loss_is_relative_and_its_interval_is_of_pairs() -> None:
    """Every query loses a tenth of its own: pairs leave no doubt, however much the queries differ."""
    teacher = np.linspace(0.0, 1.0, 50)
    found = relative_loss(teacher, 0.9 * teacher, seed=1)
    assert found.mean == pytest.approx(0.1)
    assert (found.low, found.high) == (pytest.approx(0.1), pytest.approx(0.1))
    other = relative_loss(teacher, 0.9 * np.random.default_rng(2).permutation(teacher), seed=1)
    assert other.mean == pytest.approx(0.1)
    assert other.low < 0 < other.high  # type: ignore[operator]


def test_a_gain_is_a_negative_loss() -> None:
    assert relative_loss(np.array([0.2, 0.2]), np.array([0.3, 0.3]), 1).mean == pytest.approx(-0.5)


@pytest.mark.parametrize("teacher", [[], [0.0, 0.0], [0.5]])
def test_there_is_no_interval_where_there_is_nothing_to_say(teacher: list[float]) -> None:
    found = relative_loss(np.array(teacher), np.array(teacher), 1)
    assert found == Loss(0.0, None, None)


@pytest.fixture
def found() -> Frontier:
    return Frontier(
        teacher="20240331-0123456789ab",
        date="2024-03-31",
        task="next_visit",
        validation_queries=300,
        depth=50,
        tokens=39.2,
        recovery_queries=100,
        max_loss=0.01,
        min_speedup=0.0,
        teacher_parameters=22_600_000,
        teacher_flops=7.3e8,
        teacher_ndcg10=0.2,
        teacher_ndcg10_text=0.1,
        points=(point(2.0, losses(0.005, -0.02)), point(4.0, None)),
        picked=0,
        met=True,
    )


def test_the_frontier_is_left_as_json_as_a_table_and_as_a_plot(found: Frontier, tmp_path: Path) -> None:
    path = tmp_path / "work" / "20240331-0123456789ab.json"
    write_frontier(path, found)
    assert msgspec.json.decode(path.read_bytes(), type=Frontier) == found
    assert {one.name for one in path.parent.iterdir()} == {f"{path.stem}.{end}" for end in ("json", "md", "svg")}
    assert ElementTree.fromstring(path.with_suffix(".svg").read_text()).tag.endswith("svg")
    assert "2 x 0.5 (picked)" in path.with_suffix(".svg").read_text()


def test_the_table_shows_losses_before_and_after_and_the_pick_in_bold(found: Frontier) -> None:
    text = markdown(found, "plot.svg")
    assert "**2.00**" in text
    assert "**0.5% [-0.5%, 1.5%]**" in text
    assert "| 4 3 | 64 56 | 2.0 M | 3.0 M | 4.00 |" in text
    assert text.count("not recovered") == 2
    assert "Picked by the largest speed-up that loses at most 1.0% of both scores: 2 layers, width 0.5." in text
    assert "300 validation queries of 2024-03-31 (next visit), the first 50 candidates re-ranked" in text


def test_the_page_says_where_the_bound_was_not_held(found: Frontier) -> None:
    text = markdown(msgspec.structs.replace(found, met=False, min_speedup=2.5), "plot.svg")
    assert "at least 2.5: 2 layers, width 0.5; no student holds that bound, this one comes nearest." in text


def test_the_page_says_how_far_the_interval_of_the_pick_reaches(found: Frontier) -> None:
    assert "The bound holds on the means; the intervals reach to 1.5%: more" in markdown(found, "plot.svg")
    assert "The bound holds" not in markdown(msgspec.structs.replace(found, max_loss=0.015), "plot.svg")


def test_the_page_says_where_the_final_score_cannot_tell_students_apart(found: Frontier) -> None:
    told = "this teacher orders by its features alone"
    assert told not in markdown(found, "plot.svg")
    same = losses(0.0, 0.3)
    points = (point(2.0, same, same), point(4.0, None, same))
    assert told in markdown(msgspec.structs.replace(found, points=points), "plot.svg")
    whole = msgspec.structs.replace(found, points=points, teacher_parameters=points[0].parameters)
    assert told not in markdown(whole, "plot.svg")  # nothing was cut
