"""The questions that the page asks: each names its source, what is missing without it, and what to do."""

from typing import TYPE_CHECKING

from contract.settings import Settings
from contract.slo import read_slo
from pacesetter_airflow.console.asking import Question
from pacesetter_airflow.console.places import Places
from pacesetter_airflow.console.sources.alerts import firing
from pacesetter_airflow.console.sources.data_docs import read_site
from pacesetter_airflow.console.sources.live import read_live
from pacesetter_airflow.console.sources.models import read_models
from pacesetter_airflow.console.sources.runs import read_run

if TYPE_CHECKING:
    from pacesetter_airflow.objectives.record import Record


def of_objectives(places: Places) -> Question:
    return Question(
        str(places.objectives),
        "what is promised; below stands what sla_check judged last",
        "mend the line that is named; sla_check cannot read the file either",
        lambda: read_slo(places.objectives),
    )


def of_verdicts(places: Places, days: int) -> Question:
    return Question(
        "the lake",
        "verdicts, budgets and episodes",
        "see whether PACE_NIGHT__LAKE can be read from Airflow's API server",
        lambda: _recent(places.lake, days),
    )


def of_live(settings: Settings) -> Question:
    return Question(
        "Redis",
        "the live generation and the live model",
        "see whether Redis is up at PACE_REDIS__URL; the gateway answers from memory meanwhile",
        lambda: read_live(settings.redis),
    )


def of_alerts(settings: Settings) -> Question:
    return Question(
        "Prometheus",
        "the alerts that fire now; verdicts below are older",
        "see whether Prometheus is up at PACE_MONITORING__PROMETHEUS_URL with the rules of ops/rules",
        lambda: firing(settings.monitoring.prometheus_url),
    )


def of_models(places: Places) -> Question:
    return Question(
        "the models folder",
        "figures and evaluations of models",
        "see whether PACE_NIGHT__MODELS can be read from Airflow's API server",
        lambda: read_models(places.models),
    )


def of_data_docs(places: Places) -> Question:
    return Question(
        "the Data Docs",
        "links to the pages of validations",
        "see whether PACE_NIGHT__DATA_DOCS can be read from Airflow's API server",
        lambda: read_site(places.data_docs),
    )


def of_run(dag_id: str, run_id: str) -> Question:
    return Question(
        "Airflow's database",
        "when the run was, and with it what belongs to it",
        "see the log of the API server",
        lambda: read_run(dag_id, run_id),
    )


def _recent(lake: str, days: int) -> "list[Record]":
    # It imports pyarrow, which other parts of the page can do without.
    from pacesetter_airflow.objectives.history import History

    return History(lake).recent(days)
