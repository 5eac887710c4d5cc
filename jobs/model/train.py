"""Fine-tunes the teacher: a cross-encoder of the base model, on top of a listwise logistic model of the features."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sized
from pathlib import Path

import numpy as np

from contract.scenario import Scenario, Task, read_scenario
from contract.settings import Settings, Training
from jobs.arguments import job_parser
from jobs.lake import Lake
from jobs.model.adapt import adapted_base
from jobs.model.folders import ModelFolders
from jobs.model.registry import record_model
from jobs.model.teacher import fine_tune, training_plan
from jobs.vector_space import vector_space
from reranker.encoding import base_model_directory
from reranker.export import export_artifact
from reranker.manifest import read_manifest
from reranker.parallel import current_ranks, in_processes
from reranker.precision import pick_device
from reranker.training import Trained

# Queries of the golden pairs, and candidates of each.
GOLDEN_QUERIES = 4
GOLDEN_CANDIDATES = 8


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("train", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument(
        "--base-model",
        default=settings.training.base_model,
        help="local Hugging Face directory; empty: the packaged MiniLM (%(default)r)",
    )
    return parser


def main(args: Namespace, settings: Settings) -> None:
    started = time.monotonic()
    lake, folders, seed = Lake(args.lake), ModelFolders(args.models), settings.night.seed
    scenario = read_scenario(settings.night.scenario)
    day = lake.resolve(args.date, "training_pairs")
    training = settings.training.model_copy(update={"base_model": args.base_model})
    base, told = base_model_directory(training.base_model), {}
    if training.adapt_epochs:
        base, told = adapted_base(base, lake, day, training, scenario, seed, folders)
    cuda = pick_device(training.device).type == "cuda"
    directory = in_processes(
        training.processes, cuda, train_teacher, base, lake, day, training, scenario, seed, folders, told
    )
    manifest = read_manifest(directory)
    print(
        f"teacher {directory.name} from {manifest.training['train_queries']} queries in "
        f"{time.monotonic() - started:.1f} s, {manifest.metrics['pairs_per_second']:.0f} pairs/s at "
        f"{manifest.metrics['matrix_rate_share']:.0%} of the matrix rate: {directory}"
    )
    if manifest.metrics.get("best_step") == 0:
        print(
            "teacher: no validation was better than the start, whose weights it keeps: it knows what the features say, "
            "and its texts add nothing to its final score. More queries may help (PACE_TRAINING__SAMPLE_QUERIES)"
        )
    record_model(settings, folders, directory.name, args.report)


def train_teacher(
    base: Path,
    lake: Lake,
    day: str,
    training: Training,
    scenario: Scenario,
    seed: int,
    folders: ModelFolders,
    told: Mapping[str, float] | None = None,
) -> Path | None:
    """Train from `base` and export the teacher; returns its directory, in all processes but the first None.

    `told` joins the manifest's metrics. Raises BadInput.
    """
    plan = training_plan(training, seed)
    tuned, checkpoint = fine_tune(base, lake, day, training, scenario, plan, folders.checkpoints)
    if current_ranks().rank > 0:
        return None
    directory = export_artifact(
        folders.teachers,
        tuned.network,
        tuned.encoder,
        [query.golden(GOLDEN_CANDIDATES) for query in tuned.first[:GOLDEN_QUERIES]],
        role="teacher",
        date=day,
        created_at=time.time(),
        base_model=training.base_model or "all-MiniLM-L6-v2",
        vector_space=vector_space(lake, "training_items", day),
        feature_names=tuned.feature_names,
        trees=tuned.trees,
        training={**training_record((), training, scenario.task, seed), "train_queries": tuned.queries},
        metrics={**training_metrics(tuned.trained), **(told or {})},
    )
    if checkpoint:
        checkpoint.remove()
    return directory


def training_metrics(trained: Trained) -> dict[str, float]:
    """What a manifest says of how its training went."""
    found = {"loss": float(np.mean(trained.losses[-20:])), "steps": float(len(trained.losses)), **trained.speed}
    if trained.validations:
        step, value = trained.best_validation
        found |= {"best_step": float(step), "validation_best": value}
    return found


def training_record(queries: Sized, training: Training, task: Task, seed: int) -> dict[str, int | float | str]:
    """What a manifest says of how its model was trained."""
    sizes = training.model_dump(exclude={"base_model"})
    return {**sizes, "task": task, "train_queries": len(queries), "seed": seed}
