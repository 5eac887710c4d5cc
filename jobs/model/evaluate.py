"""Measures a model on the test period, beside popularity and the candidate order, on the same queries."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from contract.errors import BadInput
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.lake import Lake
from jobs.model.baselines.registry import BASELINES, Known, chosen_baselines
from jobs.model.dataset import Query, read_queries
from jobs.model.folders import ModelFolders
from jobs.model.quality import Estimate, Rankings, estimate, measure
from jobs.model.queries import Task
from jobs.model.rankers import candidate_order, popularity, reranked
from reranker.scoring import Reranker, load_reranker

ORDER = "candidate order"
STUDENT = "student"


class Row(msgspec.Struct, frozen=True):
    """One ranker. `gain` is its NDCG@10 less the candidate order's, query by query."""

    ndcg10: Estimate
    mrr: Estimate
    hit10: Estimate
    recall100: Estimate
    gain: Estimate


class Evaluation(msgspec.Struct, frozen=True):
    """What `evaluate` found; `digest` ties it to one artifact. Latency is of one query, features and network."""

    version: str
    digest: str
    date: str
    created_at: float
    task: str
    queries: int
    depth: int
    rankers: dict[str, Row]
    milliseconds_p50: float
    milliseconds_p99: float


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("evaluate", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument("--version", default="", help="the model (the newest)")
    parser.add_argument(
        "--depth", type=int, default=settings.gateway.rerank_depth, help="candidates it re-ranks (%(default)s)"
    )
    parser.add_argument(
        "--baselines", nargs="*", default=[], metavar="NAME", help=f"also measure {', '.join(BASELINES)}, or `all`"
    )
    parser.add_argument("--teacher", action="store_true", help="measure its teacher too; takes several times longer")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    lake, folders, training = Lake(args.lake), ModelFolders(args.models), settings.training
    baselines = chosen_baselines(args.baselines)
    day = lake.resolve(args.date, "training_pairs")
    directory = folders.student(args.version)
    model = load_reranker(directory, training.device, training.threads)
    models = {STUDENT: model}
    if args.teacher:
        models["teacher"] = load_reranker(folders.teacher(model.manifest.teacher), training.device, training.threads)
    seed = settings.night.seed
    limit, task = training.test_queries, training.task
    queries = read_queries(lake, day, "test", task, limit, seed, training.candidates, hit=False)
    known = Known(lake, day, task, settings)
    others = {name: rank(known, queries) for name, rank in baselines.items()}
    found = evaluate(queries, others, models, args.depth, day, task, seed)
    write_evaluation(folders.evaluation(model.version), found)
    show(found)


def evaluate(
    queries: Sequence[Query],
    others: Mapping[str, Rankings],
    models: Mapping[str, Reranker],
    depth: int,
    day: str,
    task: Task,
    seed: int,
) -> Evaluation:
    """Measure `models`, the student among them, each on its first `depth` candidates, beside `others`' rankings."""
    rankings: dict[str, Rankings] = {"popularity": popularity(queries), ORDER: candidate_order(queries), **others}
    taken: dict[str, list[float]] = {}
    for name, model in models.items():
        model.warm_up()
        rankings[name], rankings[f"{name}, text alone"], taken[name] = reranked(queries, model, depth, name)
    labels = {query.query_id: query.labels for query in queries}
    found = {name: measure(ranking, labels) for name, ranking in rankings.items()}
    rows = {
        name: Row(
            estimate(quality.ndcg10, seed),
            estimate(quality.mrr, seed),
            estimate(quality.hit10, seed),
            estimate(quality.recall100, seed),
            estimate(quality.ndcg10 - found[ORDER].ndcg10, seed),
        )
        for name, quality in found.items()
    }
    student = models[STUDENT].manifest
    p50, p99 = np.percentile(taken[STUDENT], (50, 99)).tolist()
    return Evaluation(
        version=student.version,
        digest=student.digest,
        date=day,
        created_at=time.time(),
        task=task,
        queries=len(queries),
        depth=depth,
        rankers=rows,
        milliseconds_p50=p50,
        milliseconds_p99=p99,
    )


def write_evaluation(path: Path, found: Evaluation) -> None:
    """Write it whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".writing")
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    aside.replace(path)


def read_evaluation(path: Path) -> Evaluation:
    """Raises BadInput."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except OSError as error:
        raise BadInput(f"{path}: the model has no evaluation; run `python -m jobs evaluate` first") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: {error}; run `python -m jobs evaluate` again") from error


def show(found: Evaluation) -> None:
    asked = f"{found.queries} test queries of {found.task}, first {found.depth} candidates"
    table = Table(title=f"{found.version}: {asked}, 95% intervals")
    for heading in ("ranker", "NDCG@10", "MRR", "HR@10", "Recall@100", "NDCG@10 less the candidate order's"):
        table.add_column(heading)
    for name, row in found.rankers.items():
        means = (f"{one.mean:.4f}" for one in (row.mrr, row.hit10, row.recall100))
        table.add_row(name, str(row.ndcg10), *means, str(row.gain))
    console = Console(width=120)
    console.print(table)
    console.print(f"a query takes {found.milliseconds_p50:.0f} ms (p50), {found.milliseconds_p99:.0f} ms (p99)")
