"""Fine-tunes the teacher: a cross-encoder of the base model, on top of a listwise logistic model of the features."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from contract.scenario import Scenario, Task, read_scenario
from contract.settings import Settings, Training
from jobs.arguments import job_parser
from jobs.lake import Lake
from jobs.model.dataset import Query, as_example, names_of, read_queries
from jobs.model.folders import ModelFolders
from jobs.model.registry import record_model
from reranker.encoding import base_model_directory, base_text_encoder
from reranker.export import export_artifact
from reranker.start import start_network
from reranker.training import TrainingPlan, label_loss, train

# Queries of the golden pairs, and candidates of each.
GOLDEN_QUERIES = 4
GOLDEN_CANDIDATES = 8


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("train", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    started = time.monotonic()
    lake, scenario = Lake(args.lake), read_scenario(settings.night.scenario)
    day = lake.resolve(args.date, "training_pairs")
    plan, seed = settings.training, settings.night.seed
    queries = read_queries(lake, day, "train", scenario.task, plan.sample_queries, seed, plan.candidates, hit=True)
    folders = ModelFolders(args.models)
    directory = train_teacher(queries, plan, scenario, seed, day, folders.teachers)
    print(f"teacher {directory.name} from {len(queries)} queries in {time.monotonic() - started:.1f} s: {directory}")
    record_model(settings, folders, directory.name, args.report)


def train_teacher(
    queries: Sequence[Query], training: Training, scenario: Scenario, seed: int, day: str, parent: Path
) -> Path:
    """Train on `queries` and export the teacher under `parent`; returns its directory. Raises BadInput."""
    base = base_model_directory(training.base_model)
    encoder = base_text_encoder(base, training.query_tokens, training.item_tokens, scenario.text)
    examples = [as_example(query, encoder) for query in queries]
    network = start_network(base, encoder, examples, seed)
    losses = train(network, examples, encoder, label_loss, training_plan(training, seed), "teacher")
    return export_artifact(
        parent,
        network,
        encoder,
        [query.golden(GOLDEN_CANDIDATES) for query in queries[:GOLDEN_QUERIES]],
        role="teacher",
        date=day,
        created_at=time.time(),
        base_model=training.base_model or "all-MiniLM-L6-v2",
        feature_names=names_of(queries),
        training=training_record(queries, training, scenario.task, seed),
        metrics={"loss": float(np.mean(losses[-20:]))},
    )


def training_plan(training: Training, seed: int) -> TrainingPlan:
    """The teacher's plan."""
    return TrainingPlan(
        epochs=training.epochs,
        candidates=training.list_candidates,
        batch_queries=training.batch_queries,
        encoder_rate=training.encoder_rate,
        head_rate=training.head_rate,
        frozen_layers=training.frozen_layers,
        seed=seed,
        device=training.device,
        precision=training.precision,
        threads=training.threads,
    )


def training_record(
    queries: Sequence[Query], training: Training, task: Task, seed: int
) -> dict[str, int | float | str]:
    """What a manifest says of how its model was trained."""
    sizes = training.model_dump(exclude={"base_model"})
    return {**sizes, "task": task, "train_queries": len(queries), "seed": seed}
