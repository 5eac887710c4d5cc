"""The tab of a DAG run, as values: what the run left, as far as that is recorded, and the verdicts around its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contract.slo import Verdict
from pacesetter_airflow.console import questions
from pacesetter_airflow.console.asking import Asker, Trouble
from pacesetter_airflow.console.known import Known
from pacesetter_airflow.console.sources.data_docs import Site, Validation
from pacesetter_airflow.console.sources.live import Generation, Live
from pacesetter_airflow.console.sources.models import Model
from pacesetter_airflow.console.sources.runs import Run
from pacesetter_airflow.console.standing import WORST_FIRST
from pacesetter_airflow.objectives.record import Record

SLA_CHECK = "sla_check"
# What a run of these may leave. Others leave nothing that is recorded.
VALIDATE = ("features_daily", "candidates_daily")
PUBLISH = ("candidates_daily", "reranker_weekly")
TRAIN = ("reranker_weekly",)
# Whoever looks at an older run finds its verdicts in the lake's table.
DAYS = 14


@dataclass(frozen=True)
class Judged:
    """A verdict, and how many seconds it lies behind the run's end, or before it (negative)."""

    objective: str
    description: str
    promised: str
    verdict: str
    why: str
    measured: str
    budget_left: float | None
    at: datetime
    run: str
    seconds_off: float


@dataclass(frozen=True)
class RunPage:
    """`verdicts` are the run's `own`, or of each objective the one nearest in time to its end, while it runs
    to now; the worst come first.

    `generations` are those that the run published of the two that are known, `models` those that it made; None
    stands for what this DAG does not make, or a source did not tell.
    """

    at: datetime
    dag_id: str
    run_id: str
    run: Run | None
    troubles: Sequence[Trouble]
    own: bool
    verdicts: Sequence[Judged] | None
    validations: Sequence[Validation] | None
    generations: Sequence[Generation] | None
    models: Sequence[Model] | None
    live: Live | None


def run_page(known: Known, asker: Asker, dag_id: str, run_id: str, now: datetime) -> RunPage:
    settings, places, _ = known
    asked = {
        f"run {dag_id} {run_id}": questions.of_run(dag_id, run_id),
        "verdicts of days": questions.of_verdicts(places, DAYS),
        "live": questions.of_live(settings),
    }
    if dag_id in VALIDATE:
        asked["site"] = questions.of_data_docs(places)
    if dag_id in TRAIN:
        asked["models"] = questions.of_models(places)
    answers, troubles = asker.all(asked)
    run: Run | None = answers.get(f"run {dag_id} {run_id}")
    rows: list[Record] | None = answers.get("verdicts of days")
    own = [row for row in rows or () if dag_id == SLA_CHECK and row.run == run_id]
    end = run.ended or now if run and run.began else None
    site: Site | None = answers.get("site")
    live: Live | None = answers.get("live")
    return RunPage(
        at=now,
        dag_id=dag_id,
        run_id=run_id,
        run=run,
        troubles=troubles,
        own=bool(own),
        verdicts=_verdicts(own, rows, end),
        validations=[one for one in site.validations if run and run.covers(one.at)] if site else None,
        generations=_published(dag_id, run, live),
        models=_made(run, answers.get("models")),
        live=live,
    )


def _verdicts(own: Sequence[Record], rows: Sequence[Record] | None, end: datetime | None) -> list[Judged] | None:
    if rows is None or (end is None and not own):
        return None
    found = own or _nearest(rows, end)
    found = sorted(found, key=lambda row: (WORST_FIRST.index(Verdict(row.verdict)), row.objective))
    return [_judged(row, end or row.time) for row in found]


def _nearest(rows: Sequence[Record], end: datetime) -> list[Record]:
    """Of each objective the row that lies nearest to `end`."""
    nearest: dict[str, Record] = {}
    for row in rows:
        known = nearest.get(row.objective)
        if known is None or abs(row.time - end) < abs(known.time - end):
            nearest[row.objective] = row
    return list(nearest.values())


def _judged(row: Record, end: datetime) -> Judged:
    return Judged(
        objective=row.objective,
        description=row.description,
        promised=row.promised,
        verdict=row.verdict,
        why=row.why,
        measured=row.shown,
        budget_left=row.budget_left,
        at=row.time,
        run=row.run,
        seconds_off=(row.time - end).total_seconds(),
    )


def _published(dag_id: str, run: Run | None, live: Live | None) -> list[Generation] | None:
    if dag_id not in PUBLISH or run is None or live is None:
        return None
    return [one for one in live.published if run.covers(one.created_at)]


def _made(run: Run | None, models: Sequence[Model] | None) -> list[Model] | None:
    if run is None or models is None:
        return None
    return [model for model in models if model.made_at and run.covers(model.made_at)]
