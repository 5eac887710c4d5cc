"""Decides whether a model may serve: against the champion and LambdaMART, in time, scoring as it was exported."""

import hashlib
import sys
import time
from argparse import ArgumentParser, Namespace
from importlib.metadata import version as installed

from rich.console import Console
from rich.table import Table

from contract.errors import BadInput, GateRefused
from contract.keys import Keys
from contract.scenario import Scenario, read_scenario
from contract.settings import Settings
from contract.store.connection import connect
from contract.store.pointer import read_pointer
from jobs.arguments import job_parser
from jobs.lake import Lake
from jobs.model.dataset import read_queries
from jobs.model.evaluation import STUDENT, Evaluation, read_evaluation
from jobs.model.folders import ModelFolders
from jobs.model.gate import rules
from jobs.model.gate.measured import measured
from jobs.model.gate.opponents import BASELINE, TestQueries
from jobs.model.gate.record import GateRecord, write_record
from jobs.model.per_query import read_per_query
from jobs.model.rankers import at_level
from jobs.model.registry import champion, record_model
from reranker.limits import Limits
from reranker.loading import load_reranker
from reranker.manifest import Manifest


def arg_parser(settings: Settings) -> ArgumentParser:
    parser = job_parser("gate", __doc__ or "", settings)
    parser.add_argument("--models", default=settings.night.models, help="directory of model artifacts (%(default)s)")
    parser.add_argument("--version", default="", help="the model (the newest evaluated)")
    return parser


def main(args: Namespace, settings: Settings) -> None:
    """Raises GateRefused with every reason; ArtifactMismatch where the model does not load as it was exported."""
    folders = ModelFolders(args.models)
    redis = settings.redis
    pointer = read_pointer(connect(redis.url, redis.publish_timeout_seconds, redis.cluster), Keys(redis.prefix))
    version = args.version or folders.newest_evaluated()
    path = folders.gate_record(version)
    path.unlink(missing_ok=True)  # an old verdict does not stand in for one that fails to come
    scenario = read_scenario(settings.night.scenario)
    against = pointer.model or champion(settings)
    record = judge(version, folders, Lake(args.lake), pointer.model, against, scenario, settings)
    write_record(path, record)
    show(record)
    record_model(settings, folders, version, args.report)
    if not record.admitted:
        raise GateRefused(
            f"model {version} may not serve: {'; '.join(record.reasons)}. "
            f"{f'Model {pointer.model}' if pointer.model else 'The candidate order'} stays. The record: {path}"
        )


def judge(
    version: str,
    folders: ModelFolders,
    lake: Lake,
    live: str,
    compared_with: str,
    scenario: Scenario,
    settings: Settings,
) -> GateRecord:
    """Measure `version` and compare it with the model `compared_with`, or with the candidate order for none.

    Raises BadInput where it has no evaluation, or one of queries that are gone; ArtifactMismatch.
    """
    directory, gate, options = folders.student(version), settings.gate, settings.ranker
    found, single = read_evaluation(folders.evaluation(version)), read_per_query(folders.per_query(version))
    model = load_reranker(directory, options.device, options.threads, Limits(options.batch_pairs))
    manifest, seed = model.manifest, settings.night.seed
    depth = max(settings.training.candidates, settings.gateway.rerank_depth)
    few = read_queries(lake, found.date, "test", found.task, gate.latency_queries, seed, depth, hit=False)
    took, golden, scores = measured(model, few, settings)
    # A wrong task is a reason below; here it must not keep the rest from being told.
    asked = TestQueries(lake, found, single, scenario.model_copy(update={"task": found.task}), settings)
    name, values, digest, note = asked.of_champion(folders, compared_with)
    train_queries = int(manifest.training.get("train_queries", 0))
    required = train_queries >= gate.baseline_from
    few_queries = f"trained on {train_queries} queries, fewer than the {gate.baseline_from} of PACE_GATE__BASELINE_FROM"
    baseline = asked.of_baseline()
    comparisons = [rules.compare(name, single.ndcg10[STUDENT], values, gate, seed, note=note)]
    for level in model.levels:
        measured_as = at_level(STUDENT, level)
        if measured_as not in single.ndcg10:
            raise BadInput(
                f"{folders.per_query(version)} has no figures of level {level}: run `python -m jobs evaluate` again"
            )
        comparisons.append(
            rules.compare(
                BASELINE if level == "full" else f"{BASELINE}, at level {level}",
                single.ndcg10[measured_as],
                baseline,
                gate,
                seed,
                required=required,
                note="" if required else few_queries,
            )
        )
    levels = rules.level_losses(manifest.levels, gate)
    wrong = [*mistaken(found, manifest, scenario), *rules.reasons(comparisons, took, golden, scores, levels)]
    return GateRecord(
        version=version,
        digest=manifest.digest,
        date=found.date,
        task=found.task,
        created_at=time.time(),
        admitted=not wrong,
        reasons=wrong,
        warnings=rules.warnings(comparisons) + at_other_depth(found, settings),
        live=live,
        champion=compared_with if digest else "",
        champion_digest=digest,
        evaluation_sha256=hashlib.sha256(folders.evaluation(version).read_bytes()).hexdigest(),
        train_queries=train_queries,
        comparisons=comparisons,
        latency=took,
        parity=golden,
        scores=scores,
        levels=levels,
        settings={
            **gate.model_dump(exclude={"level_loss_final", "level_loss_text"}),
            "seed": seed,
            "rerank_depth": settings.gateway.rerank_depth,
            "evaluated_depth": found.depth,
            "batch_pairs": model.batch_pairs,
        },
        code={"python": sys.version.split()[0], **{name: installed(name) for name in ("torch", "lightgbm", "scipy")}},
    )


def mistaken(found: Evaluation, manifest: Manifest, scenario: Scenario) -> list[str]:
    """Why the evaluation says nothing about this model."""
    wrong = []
    if found.digest != manifest.digest:
        wrong.append(f"its evaluation is of another artifact ({found.digest[:12]}): run `python -m jobs evaluate`")
    if found.task != scenario.task:
        wrong.append(
            f"its evaluation is of the task {found.task}, not of {scenario.task} (`task` in PACE_NIGHT__SCENARIO): "
            "run `python -m jobs evaluate`"
        )
    return wrong


def at_other_depth(found: Evaluation, settings: Settings) -> list[str]:
    depth = settings.gateway.rerank_depth
    return [] if found.depth == depth else [f"evaluated on the first {found.depth} candidates, served on {depth}"]


def show(record: GateRecord) -> None:
    table = Table(title=f"{record.version}: {'admitted' if record.admitted else 'refused'}")
    for heading in ("rule", "found", "wanted", "holds"):
        table.add_column(heading)
    for one in record.comparisons:
        bound = "none" if one.bound is None else f"{one.bound:.4f}"
        table.add_row(
            f"NDCG@10 less that of {one.against}",
            f"{one.difference}, above {bound}",
            f"above {-one.tolerance:g} at level {one.confidence:g}" + ("" if one.required else ", not required"),
            _word(one.holds),
        )
    took, golden, scores = record.latency, record.parity, record.scores
    figures = f"p50 {took.p50_ms:.0f}, p95 {took.p95_ms:.0f}, p99 {took.p99_ms:.0f} ms"
    table.add_row(f"latency, {took.candidates} candidates", figures, f"p95 {took.budget_ms:.0f} ms", _word(took.holds))
    table.add_row("golden scores", f"{golden.difference:.5f}", f"{golden.allowed}", _word(golden.holds))
    table.add_row(
        "scores", f"{scores.not_finite} not finite, spread {scores.spread:.3g}", "an order", _word(scores.holds)
    )
    for level in record.levels:
        table.add_row(
            f"level {level.level}: {level.score} score's loss",
            rules.told(level.loss),
            f"not surely above {level.allowed:.1%}",
            _word(level.holds),
        )
    console = Console(width=120)
    console.print(table)
    for line in record.warnings:
        console.print(f"warning: {line}", markup=False)


def _word(holds: bool) -> str:
    return "yes" if holds else "no"
