"""The addresses that the page leads to. Every part of a path is quoted."""

from typing import NamedTuple
from urllib.parse import quote

from contract.settings import Settings
from contract.slo import Verdict, alert_names
from pacesetter_airflow.objectives.episodes import PROMETHEUS

# The DAGs that the page names, with what they are for.
DAGS = {"sla_check": "judges the objectives", "reranker_weekly": "trains and promotes a model"}


class Link(NamedTuple):
    """`href` is "" where there is no address to open: then `text` says where to look."""

    name: str
    href: str
    text: str


class Addresses:
    """`root` is the path that the page itself is served under; Airflow's own pages lie beside it."""

    def __init__(self, root: str, settings: Settings) -> None:
        self.root = root
        self.airflow = root.rpartition("/")[0]
        self._monitoring = settings.monitoring
        self._registry = settings.registry

    def dag(self, dag_id: str) -> str:
        return f"{self.airflow}/dags/{_quoted(dag_id)}"

    def run(self, dag_id: str, run_id: str) -> str:
        return f"{self.dag(dag_id)}/runs/{_quoted(run_id)}"

    def data_docs(self, page: str) -> str:
        return f"{self.root}/data-docs/{quote(page)}"

    def evaluation(self, version: str) -> str:
        return f"{self.root}/evaluations/{_quoted(version)}.html"

    def gate(self, version: str) -> str:
        return f"{self.root}/evaluations/{_quoted(version)}.gate.json"

    def what_to_do(self, objective: str, kind: str, verdict: str) -> Link:
        """The runbook's page on an objective that is not kept."""
        if objective == PROMETHEUS:
            return self.runbook("dags.md#sla_check")
        names = alert_names(objective, kind)
        return self.runbook(f"{names.unknown if verdict == Verdict.UNKNOWN else names.missed}.md")

    def runbook(self, page: str) -> Link:
        place = f"{self._monitoring.runbook_url.rstrip('/')}/{quote(page, safe='#/')}"
        return Link("Runbook", _web(place), place)

    def elsewhere(self) -> list[Link]:
        """What is served by others: the gateway's live page, the model registry, the runbook.

        Not Prometheus: the settings know where jobs reach it, which need not be where a browser does.
        """
        places = {
            "Gateway: live figures": f"{self._monitoring.gateway_url.rstrip('/')}/monitor",
            **({"MLflow: runs of models": self._registry.ui_url} if self._registry.tracking_uri else {}),
        }
        return [*(Link(name, _web(place), place) for name, place in places.items()), self.runbook("README.md")]


def _quoted(part: str) -> str:
    return quote(part, safe="")


def _web(place: str) -> str:
    """Only what a browser opens as a page: a setting may hold any text."""
    return place if place.startswith(("http://", "https://")) else ""
