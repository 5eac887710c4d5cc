"""Makes the students of the frontier, one after another, and measures each before and after a short recovery."""

import logging
from collections.abc import Sequence

from contract.settings import Settings
from jobs.model.frontier import Frontier, Losses, Point, pick
from jobs.model.students import Workshop
from reranker.pruning import Cut
from reranker.shape import flops, parameters, shape_of

log = logging.getLogger(__name__)

# Where a wider student of the same layers still loses so many times what is allowed, a narrower one is not recovered.
HOPELESS = 10.0


def compare(workshop: Workshop, settings: Settings, teacher: str, day: str, task: str) -> tuple[Frontier, list[Cut]]:
    """The frontier over the settings' layers and widths, and the cut of each of its points.

    `teacher` is its version, `day` and `task` tell whose queries it was. A point is not
    recovered where that cannot make it the pick: where it is slower than `min_speedup`, or where a wider one is
    HOPELESS. Raises BadInput for layers or widths out of range.
    """
    wanted, judge, whole = settings.prune, workshop.judge, workshop.teacher
    points: list[Point] = []
    cuts: list[Cut] = []
    for layers in chosen_layers(workshop, wanted.layers):
        importance = workshop.importance(layers)
        wider: Losses | None = None
        for width in sorted(set(wanted.widths), reverse=True):
            cut = workshop.cut(layers, importance, width)
            hopeless = wider is not None and wider.worst > HOPELESS * max(wanted.max_loss, 0.01)
            point = measured(workshop, cut, width, settings, hopeless)
            log.info("%s: %.2f times as fast, loses %.2f%%", point.name, point.speedup, 100 * point.losses.worst)
            wider = point.after or wider
            points.append(point)
            cuts.append(cut)
    picked, met = pick(points, wanted.max_loss, wanted.min_speedup)
    if not met:
        log.warning("no student holds the bound that is set; picked %s, which comes nearest", points[picked].name)
    return Frontier(
        teacher=teacher,
        date=day,
        task=task,
        validation_queries=len(judge.queries),
        depth=settings.gateway.rerank_depth,
        tokens=judge.lengths().pair,
        recovery_queries=min(wanted.recovery_queries, len(workshop.examples)),
        max_loss=wanted.max_loss,
        min_speedup=wanted.min_speedup,
        teacher_parameters=parameters(whole),
        teacher_flops=flops(whole, judge.lengths().pair),
        teacher_ndcg10=float(workshop.quality.final.mean()),
        teacher_ndcg10_text=float(workshop.quality.text.mean()),
        points=tuple(points),
        picked=picked,
        met=met,
    ), cuts


def chosen_layers(workshop: Workshop, depths: Sequence[int]) -> list[tuple[int, ...]]:
    """The layers that stay for each of `depths`, the deepest first."""
    by_depth = workshop.layers(min(depths))
    return [by_depth[depth] for depth in sorted(set(depths), reverse=True)]


def measured(workshop: Workshop, cut: Cut, width: float, settings: Settings, hopeless: bool) -> Point:
    student = workshop.student(cut)
    name = f"{len(cut.layers)} x {width:g}"
    before, speed = workshop.losses(student, f"{name} pruned"), workshop.speed(student, "float16", name)
    after = None
    if speed.speedup >= settings.prune.min_speedup and not hopeless:
        recovered, _ = workshop.recovered(cut, settings.prune.recovery_queries, f"{name} recovers")
        after = workshop.losses(recovered, f"{name} recovered")
    return Point(
        layers=cut.layers,
        width=width,
        shape=shape_of(student),
        parameters=parameters(student),
        flops=workshop.flops(student),
        speedup=speed.speedup,
        measured_in=speed.kind,
        before=before,
        after=after,
    )
