"""The page in the navigation, as values: its HTML and its JSON are made of the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pacesetter_airflow.console import questions
from pacesetter_airflow.console.addresses import Addresses, Link
from pacesetter_airflow.console.asking import Asker, Trouble
from pacesetter_airflow.console.known import Known
from pacesetter_airflow.console.sources.alerts import Alert
from pacesetter_airflow.console.sources.data_docs import INDEX, Site
from pacesetter_airflow.console.sources.live import Live
from pacesetter_airflow.console.sources.models import Model
from pacesetter_airflow.console.standing import Standing, standings

# Yesterday and today, and the day before: the last 24 hours, however late sla_check was.
DAYS = 3
MODELS_SHOWN = 8


@dataclass(frozen=True)
class Overview:
    """None stands for what a source did not tell: `troubles` says why.

    `judged_at` is when sla_check judged last, None where it never did.
    """

    at: datetime
    troubles: Sequence[Trouble]
    objectives: Sequence[Standing]
    judged_at: datetime | None
    verdicts_known: bool
    alerts: Sequence[Alert] | None
    live: Live | None
    model: Model | None
    models: Sequence[Model] | None
    site: bool | None
    links: Sequence[Link]

    @property
    def kept(self) -> int:
        return sum(one.kept for one in self.objectives)


def overview(known: Known, asker: Asker, now: datetime) -> Overview:
    settings, places, addresses = known
    answers, troubles = asker.all(
        {
            "verdicts": questions.of_verdicts(places, DAYS),
            "objectives": questions.of_objectives(places),
            "live": questions.of_live(settings),
            "alerts": questions.of_alerts(settings),
            "models": questions.of_models(places),
            "site": questions.of_data_docs(places),
        }
    )
    rows = answers.get("verdicts", [])
    live: Live | None = answers.get("live")
    models: list[Model] | None = answers.get("models")
    site: Site | None = answers.get("site")
    if live and live.broken:
        troubles.append(Trouble("the live generation", live.broken, "its date and age", "publish again, or roll back"))
    return Overview(
        at=now,
        troubles=troubles,
        objectives=standings(answers.get("objectives"), rows, now),
        judged_at=rows[-1].time if rows else None,
        verdicts_known="verdicts" in answers,
        alerts=answers.get("alerts"),
        live=live,
        model=next((model for model in models or () if live and model.version == live.model), None),
        models=models[:MODELS_SHOWN] if models is not None else None,
        site=site.there if site else None,
        links=[*_pages(addresses, site, live, models), *addresses.elsewhere()],
    )


def _pages(addresses: Addresses, site: Site | None, live: Live | None, models: Sequence[Model] | None) -> list[Link]:
    found = []
    if site and site.there:
        found.append(Link("Data Docs: checks of the night's tables", addresses.data_docs(INDEX), INDEX))
    evaluated = [model.version for model in models or () if model.evaluated]
    if live and live.model in evaluated:
        found.append(Link("Evaluation of the live model", addresses.evaluation(live.model), live.model))
    return found
