"""Measures a model on the test period, beside baselines and the candidate order, on the same queries."""

import time
from argparse import ArgumentParser, Namespace
from typing import get_args

import numpy as np

from contract.scenario import Task, read_scenario
from contract.settings import Settings
from jobs.arguments import count, job_parser
from jobs.lake import Lake
from jobs.model.baselines.registry import BASELINES, Known, chosen_baselines
from jobs.model.bench import Bench
from jobs.model.evaluation import STUDENT, TEACHER, Evaluation, Measured, write_evaluation
from jobs.model.folders import ModelFolders
from jobs.model.per_query import write_per_query
from jobs.model.registry import record_model
from jobs.model.report import show
from jobs.vector_space import demand_space
from reranker.loading import load_reranker


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("evaluate", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument("--version", default="", help="the model (the newest)")
    parser.add_argument(
        "--depth", type=count, default=settings.gateway.rerank_depth, help="candidates it re-ranks (%(default)s)"
    )
    parser.add_argument(
        "--baselines", nargs="*", default=[], metavar="NAME", help=f"also measure {', '.join(BASELINES)}, or `all`"
    )
    parser.add_argument(
        "--tasks",
        nargs="*",
        default=list(get_args(Task)),
        choices=get_args(Task),
        help=f"what else to measure it on than the task it learned (all: {' '.join(get_args(Task))})",
    )
    parser.add_argument("--teacher", action="store_true", help="measure its teacher too; takes several times longer")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises BadInput where the queries of the task that the model learned can tell nothing."""
    lake, folders, training = Lake(args.lake), ModelFolders(args.models), settings.training
    baselines, scenario = chosen_baselines(args.baselines), read_scenario(settings.night.scenario)
    day = lake.resolve(args.date, "training_pairs")
    directory = folders.student(args.version)
    models = {STUDENT: load_reranker(directory, training.device, training.threads)}
    manifest = models[STUDENT].manifest
    if args.teacher:
        models[TEACHER] = load_reranker(folders.teacher(manifest.teacher), training.device, training.threads)
    for model in models.values():
        demand_space(lake, "training_items", day, model.manifest)
        model.warm_up()
    bench = Bench(Known(lake, day, scenario, settings), models, baselines, args.depth)
    found, times, single = bench.measure(scenario.task)
    asked = [task for task in get_args(Task) if task in args.tasks and task != scenario.task]
    others = [bench.measure(task)[0] for task in asked if bench.has(task)]
    p50, p99 = np.percentile(times, (50, 99)).tolist()
    evaluation = Evaluation(
        **{name: getattr(found, name) for name in Measured.__struct_fields__},
        version=manifest.version,
        digest=manifest.digest,
        date=day,
        created_at=time.time(),
        depth=args.depth,
        milliseconds_p50=p50,
        milliseconds_p99=p99,
        others=tuple(others),
    )
    path = folders.evaluation(manifest.version)
    write_per_query(folders.per_query(manifest.version), single)
    write_evaluation(path, evaluation)
    show(evaluation)
    print(f"report: {path.with_suffix('.html')}")
    record_model(settings, folders, manifest.version, args.report)
