"""Measures a model on the test period, beside baselines and the candidate order, on the same queries."""

import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from contract.scenario import read_scenario
from contract.settings import Settings
from jobs.arguments import job_parser
from jobs.lake import Lake
from jobs.model.baselines.interactions import Interactions
from jobs.model.baselines.registry import BASELINES, Known, chosen_baselines
from jobs.model.dataset import Query, read_queries
from jobs.model.evaluation import ORDER, STUDENT, Evaluation, Row, Segment, write_evaluation
from jobs.model.folders import ModelFolders
from jobs.model.per_query import PerQuery, write_per_query
from jobs.model.quality import Rankings, estimate, measure
from jobs.model.rankers import candidate_order, popularity, reranked
from jobs.model.registry import record_model
from jobs.model.segments import segments
from jobs.model.variety import variety
from reranker.scoring import load_reranker


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
    baselines, scenario = chosen_baselines(args.baselines), read_scenario(settings.night.scenario)
    day = lake.resolve(args.date, "training_pairs")
    directory = folders.student(args.version)
    model = load_reranker(directory, training.device, training.threads)
    models = {STUDENT: model}
    if args.teacher:
        models["teacher"] = load_reranker(folders.teacher(model.manifest.teacher), training.device, training.threads)
    seed = settings.night.seed
    limit, task = training.test_queries, scenario.task
    queries = read_queries(lake, day, "test", task, limit, seed, training.candidates, hit=False)
    known = Known(lake, day, scenario, settings)
    others = {name: rank(known, queries) for name, rank in baselines.items()}
    popular = popularity(queries, scenario.repeats)
    rankings: dict[str, Rankings] = {"popularity": popular, ORDER: candidate_order(queries), **others}
    taken: dict[str, list[float]] = {}
    for name, one in models.items():
        one.warm_up()
        rankings[name], rankings[f"{name}, text alone"], taken[name] = reranked(queries, one, args.depth, name)
    rows, parts, single = compared(queries, rankings, known.past, seed)
    p50, p99 = np.percentile(taken[STUDENT], (50, 99)).tolist()
    found = Evaluation(
        version=model.version,
        digest=model.manifest.digest,
        date=day,
        created_at=time.time(),
        task=task,
        queries=len(queries),
        depth=args.depth,
        rankers=rows,
        segments=parts,
        milliseconds_p50=p50,
        milliseconds_p99=p99,
    )
    path = folders.evaluation(model.version)
    write_per_query(folders.per_query(model.version), single)
    write_evaluation(path, found)
    show(found)
    print(f"report: {path.with_suffix('.html')}")
    record_model(settings, folders, model.version, args.report)


def compared(
    queries: Sequence[Query], rankings: Mapping[str, Rankings], past: Interactions, seed: int
) -> tuple[dict[str, Row], dict[str, Segment], PerQuery]:
    """Every ranking's figures over all queries, in every segment, and query by query.

    The candidate order's is among `rankings`.
    """
    labels = {query.query_id: query.labels for query in queries}
    sessions_of = dict(zip(past.items.tolist(), past.baskets.tolist(), strict=True))
    found = {name: measure(ranking, labels) for name, ranking in rankings.items()}
    rows = {
        name: Row(
            ndcg10=estimate(quality.ndcg10, seed),
            mrr=estimate(quality.mrr, seed),
            hit10=estimate(quality.hit10, seed),
            recall100=estimate(quality.recall100, seed),
            gain=estimate(quality.ndcg10 - found[ORDER].ndcg10, seed),
            variety=variety(rankings[name], sessions_of, past.sessions.shape[0], len(queries[0].items)),
        )
        for name, quality in found.items()
    }
    parts = {
        name: Segment(
            len(of_part),
            {ranker: estimate(measure(ranking, of_part).ndcg10, seed) for ranker, ranking in rankings.items()},
        )
        for name, of_part in segments(queries, sessions_of).items()
    }
    return rows, parts, PerQuery(tuple(labels), {name: quality.ndcg10 for name, quality in found.items()})


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
