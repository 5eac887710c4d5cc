"""Prunes the teacher, recovers the student by distillation, and exports it; on request compares many students first."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from contract.errors import BadInput
from contract.scenario import read_scenario
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.lake import Lake
from jobs.model.compare import compare
from jobs.model.dataset import Query, as_example, names_of, read_queries
from jobs.model.folders import ModelFolders
from jobs.model.frontier import Frontier, Losses, write_frontier
from jobs.model.frontier_page import markdown
from jobs.model.losses import Judge
from jobs.model.quality import measure
from jobs.model.rankers import candidate_order
from jobs.model.registry import record_model
from jobs.model.students import Workshop
from jobs.model.teacher import training_plan
from jobs.model.train import GOLDEN_CANDIDATES, GOLDEN_QUERIES, training_record
from jobs.vector_space import demand_space
from reranker.depth import LevelName, level_depths
from reranker.distillation import taught
from reranker.export import export_artifact
from reranker.loading import load_network, load_trees
from reranker.manifest import Level, Pruning
from reranker.network import CrossEncoder
from reranker.pruning import Cut
from reranker.shape import flops, shape_of
from reranker.speed import Speed
from reranker.split import SplitNetwork


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("prune", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument("--teacher", default="", help="version of the teacher (the newest)")
    parser.add_argument(
        "--frontier",
        action="store_true",
        default=settings.prune.frontier,
        help="compare students of the settings' layers and widths, and export the one that their bound picks",
    )
    return parser


def main(args: Namespace, settings: Settings) -> None:
    started = time.monotonic()
    lake, folders = Lake(args.lake), ModelFolders(args.models)
    teacher = folders.teacher(args.teacher)
    day = lake.resolve(args.date, "training_pairs")
    directory = prune(teacher, lake, day, folders, settings, args.frontier)
    print(f"student {directory.name} of teacher {teacher.name} in {time.monotonic() - started:.1f} s: {directory}")
    record_model(settings, folders, directory.name, args.report)


def prune(
    teacher_at: Path, lake: Lake, day: str, folders: ModelFolders, settings: Settings, frontier: bool = False
) -> Path:
    """Make a student of the teacher in `teacher_at`, export it, and return its directory.

    With `frontier` many are compared first, and what was found is left beside the teacher. Raises BadInput, and
    ArtifactMismatch for a damaged teacher.
    """
    training, seed, wanted = settings.training, settings.night.seed, settings.prune
    task = read_scenario(settings.night.scenario).task
    manifest, teacher, encoder = load_network(teacher_at)
    demand_space(lake, "training_items", day, manifest)
    trees = load_trees(teacher_at)
    limit = training.sample_queries, seed, training.candidates
    train = read_queries(lake, day, "train", task, *limit, hit=True)
    if names_of(train, trees) != manifest.feature_names:
        raise BadInput(f"teacher {manifest.version} has other features than the training pairs of {day}: train again")
    plan = training_plan(training, seed)
    plan = replace(plan, epochs=training.distil_epochs, frozen_layers=min(plan.frozen_layers, 0))
    checked = wanted.validation_queries if frontier else training.validation_queries
    check = read_queries(lake, day, "validation", task, checked, seed, training.candidates, hit=False)
    judge = Judge(check, encoder, settings.gateway.rerank_depth, plan, trees)
    kept = training.student_layers or teacher.layers
    _check_depths(teacher, wanted.layers if frontier else (kept,))
    examples = taught(teacher, [as_example(query, encoder, trees, trained_on=True) for query in train], encoder, plan)
    workshop = Workshop(teacher, encoder, examples, judge, plan, wanted.state_weight)
    if frontier:
        version = manifest.version
        cut = picked(*compare(workshop, settings, version, day, task), folders.frontier(version))
    else:
        cut = Cut(workshop.layers(kept)[kept])
    student, losses = workshop.recovered(cut, len(examples), "student")
    states = workshop.states(student, "student")
    by_level = {
        level: workshop.losses(student, f"validation of level {level}", level) for level in level_depths(student.layers)
    }
    found, speed = by_level["full"], workshop.speed(student, states.kind, "student")
    return export_artifact(
        folders.students,
        student,
        encoder,
        [query.golden(GOLDEN_CANDIDATES) for query in train[:GOLDEN_QUERIES]],
        role="student",
        teacher=manifest.version,
        date=day,
        created_at=time.time(),
        base_model=manifest.base_model,
        vector_space=manifest.vector_space,
        feature_names=manifest.feature_names,
        trees=trees,
        training=manifest.training | training_record(train, training, task, seed),
        metrics=losses | validation_metrics(found, check),
        pruning=pruning_record(workshop, student, cut, speed, found),
        levels=levels_record(workshop, student, by_level),
        states=states,
    )


def picked(found: Frontier, cuts: Sequence[Cut], path: Path) -> Cut:
    """The cut of the student that the frontier names; the frontier is written to `path` and shown."""
    write_frontier(path, found)
    Console(width=200).print(Markdown(markdown(found, path.with_suffix(".svg").name)))
    print(f"frontier: {path}")
    return cuts[found.picked]


def validation_metrics(found: Losses, queries: Sequence[Query]) -> dict[str, float]:
    """NDCG@10 of the student's two scores on the validation period, beside the candidate order's."""
    labels = {query.query_id: query.labels for query in queries}
    return {
        "validation_queries": float(len(queries)),
        "validation_ndcg10": found.ndcg10,
        "validation_ndcg10_text": found.ndcg10_text,
        "validation_ndcg10_candidate_order": float(measure(candidate_order(queries), labels).ndcg10.mean()),
    }


def levels_record(workshop: Workshop, student: SplitNetwork, found: Mapping[LevelName, Losses]) -> tuple[Level, ...]:
    """What a manifest says of the levels of its student."""
    whole = flops(workshop.teacher, workshop.judge.lengths().pair)
    depths = level_depths(student.layers)
    return tuple(
        Level(level, depths[level], workshop.flops(student, level) / whole, losses.final, losses.text)
        for level, losses in found.items()
    )


def pruning_record(workshop: Workshop, student: SplitNetwork, cut: Cut, speed: Speed, found: Losses) -> Pruning:
    """What a manifest says of how its student was pruned, and what level `full` gains and loses."""
    shape = shape_of(workshop.teacher)
    heads = cut.units and tuple(units.heads for units in cut.units)
    return Pruning(
        layers=cut.layers,
        heads=heads or tuple(tuple(range(shape[layer].heads)) for layer in cut.layers),
        teacher=shape,
        flops=workshop.flops(student) / flops(workshop.teacher, workshop.judge.lengths().pair),
        speedup=speed.speedup,
        measured_in=speed.kind,
        loss_final=found.final,
        loss_text=found.text,
    )


def _check_depths(teacher: CrossEncoder, depths: Sequence[int]) -> None:
    """Before anything is computed: the importance of layers is asked for much later."""
    for depth in depths:
        if not 1 <= depth <= teacher.layers:
            raise BadInput(
                f"student of {depth} layers: the teacher has {teacher.layers}; set PACE_TRAINING__STUDENT_LAYERS, or "
                "PACE_PRUNE__LAYERS for a frontier"
            )
