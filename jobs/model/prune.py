"""Drops layers of the teacher, recovers by distillation, and exports the student as an artifact."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from contract.errors import BadInput
from contract.scenario import Task, read_scenario
from contract.settings import Settings, Training
from jobs.arguments import job_parser
from jobs.lake import Lake
from jobs.model.dataset import Query, as_example, names_of, read_queries
from jobs.model.folders import ModelFolders
from jobs.model.quality import measure
from jobs.model.rankers import candidate_order, reordered
from jobs.model.registry import record_model
from jobs.model.train import GOLDEN_CANDIDATES, GOLDEN_QUERIES, training_plan, training_record
from reranker.encoding import TextEncoder
from reranker.export import export_artifact
from reranker.network import CrossEncoder
from reranker.pruning import distil
from reranker.scoring import load_network
from reranker.training import TrainingPlan, score_examples


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("prune", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument("--teacher", default="", help="version of the teacher (the newest)")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    started = time.monotonic()
    lake, folders, training, seed = Lake(args.lake), ModelFolders(args.models), settings.training, settings.night.seed
    task = read_scenario(settings.night.scenario).task
    teacher = folders.teacher(args.teacher)
    day = lake.resolve(args.date, "training_pairs")
    directory = prune(teacher, lake, day, folders.students, training, task, seed)
    print(f"student {directory.name} of teacher {teacher.name} in {time.monotonic() - started:.1f} s: {directory}")
    record_model(settings, folders, directory.name, args.report)


def prune(teacher_at: Path, lake: Lake, day: str, parent: Path, training: Training, task: Task, seed: int) -> Path:
    """Make a student of the teacher in `teacher_at`, export it under `parent`, and return its directory.

    Raises BadInput, and ArtifactMismatch for a damaged teacher.
    """
    manifest, teacher, encoder = load_network(teacher_at)
    train = read_queries(lake, day, "train", task, training.sample_queries, seed, training.candidates, hit=True)
    if names_of(train) != manifest.feature_names:
        raise BadInput(f"teacher {manifest.version} has other features than the training pairs of {day}: train again")
    plan = training_plan(training, seed)
    plan = replace(plan, epochs=training.distil_epochs, frozen_layers=min(plan.frozen_layers, 0))
    student, losses = distil(teacher, training.student_layers, [as_example(q, encoder) for q in train], encoder, plan)

    check = read_queries(
        lake, day, "validation", task, training.validation_queries, seed, training.candidates, hit=False
    )
    return export_artifact(
        parent,
        student,
        encoder,
        [query.golden(GOLDEN_CANDIDATES) for query in train[:GOLDEN_QUERIES]],
        role="student",
        teacher=manifest.version,
        date=day,
        created_at=time.time(),
        base_model=manifest.base_model,
        feature_names=manifest.feature_names,
        training=manifest.training | training_record(train, training, task, seed),
        metrics=losses | validation_metrics(student, encoder, check, plan),
    )


def validation_metrics(
    network: CrossEncoder, encoder: TextEncoder, queries: Sequence[Query], plan: TrainingPlan
) -> dict[str, float]:
    """NDCG@10 of the network over whole lists on the validation period, beside the candidate order's."""
    scores = score_examples(network, [as_example(query, encoder) for query in queries], encoder, plan, "validation")
    labels = {query.query_id: query.labels for query in queries}
    ranked = {query.query_id: reordered(query, found[:, 0]) for query, found in zip(queries, scores, strict=True)}
    return {
        "validation_queries": float(len(queries)),
        "validation_ndcg10": float(measure(ranked, labels).ndcg10.mean()),
        "validation_ndcg10_candidate_order": float(measure(candidate_order(queries), labels).ndcg10.mean()),
    }
