"""The frontier of students: what each number of layers and width gains in speed and costs in quality, and the pick."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from reranker.manifest import LayerShape, Loss


class Losses(msgspec.Struct, frozen=True):
    """NDCG@10 of a student by its final and by its text score, and their relative losses against the teacher."""

    ndcg10: float
    ndcg10_text: float
    final: Loss
    text: Loss

    @property
    def worst(self) -> float:
        return max(self.final.mean, self.text.mean)


class Point(msgspec.Struct, frozen=True):
    """One student: the teacher's layers that stay, and the share of their operations that heads and neurons keep.

    `flops` is operations a pair; `speedup` is over the teacher in float32, the student in the format `measured_in`.
    `after` is None where it was not recovered.
    """

    layers: tuple[int, ...]
    width: float
    shape: tuple[LayerShape, ...]
    parameters: int
    flops: float
    speedup: float
    measured_in: str
    before: Losses
    after: Losses | None

    @property
    def losses(self) -> Losses:
        return self.after or self.before

    @property
    def name(self) -> str:
        return f"{len(self.layers)} layers, width {self.width:g}"


class Frontier(msgspec.Struct, frozen=True):
    """What `prune` compared. Losses are of `validation_queries` queries, the first `depth` candidates re-ranked; a
    pair has `tokens` tokens; points were recovered on `recovery_queries` queries. `picked` is a point's place;
    `met` whether it holds the bound it was picked by.
    """

    teacher: str
    date: str
    task: str
    validation_queries: int
    depth: int
    tokens: float
    recovery_queries: int
    max_loss: float
    min_speedup: float
    teacher_parameters: int
    teacher_flops: float
    teacher_ndcg10: float
    teacher_ndcg10_text: float
    points: tuple[Point, ...]
    picked: int
    met: bool


def pick(points: Sequence[Point], max_loss: float, min_speedup: float) -> tuple[int, bool]:
    """The place of the point to recover in full, and whether it holds the bound.

    With a `min_speedup` above 0: the least loss among those that are as fast; else the largest speed-up among those
    that lose at most `max_loss` of both scores. Where none holds, the fastest, or the one that loses least.
    """
    places = range(len(points))
    if min_speedup > 0:
        fast = [place for place in places if points[place].speedup >= min_speedup]
        if fast:
            return min(fast, key=lambda place: points[place].losses.worst), True
        return max(places, key=lambda place: points[place].speedup), False
    good = [place for place in places if points[place].losses.worst <= max_loss]
    if good:
        return max(good, key=lambda place: points[place].speedup), True
    return min(places, key=lambda place: points[place].losses.worst), False


def write_frontier(path: Path, found: Frontier) -> None:
    """`path`.json, .md and .svg; the JSON, which says that all are there, last."""
    from jobs.model.frontier_page import markdown, plot

    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".svg").write_text(plot(found))
    path.with_suffix(".md").write_text(markdown(found, path.with_suffix(".svg").name))
    aside = path.with_suffix(".writing")
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    aside.replace(path)
