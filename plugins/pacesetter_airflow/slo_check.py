"""Asks Prometheus for every objective and fails the task unless each one is OK: no data is no good news."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from contract.slo import Judgement, Objective, Verdict, bound_text, judge, read_slo, value_query
from pacesetter_airflow.home import project_home, project_settings
from pacesetter_airflow.reports import report_path

TIMEOUT_SECONDS = 10.0


class SloCheck(BaseOperator):
    """Judges the objectives in the file `objectives` by the Prometheus at `prometheus_url`.

    The table of verdicts goes to the log and, on failure, to the file `report` for the mail.
    """

    template_fields: Sequence[str] = ("objectives", "prometheus_url", "report")

    def __init__(self, *, objectives: str, prometheus_url: str, report: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.objectives = objectives
        self.prometheus_url = prometheus_url
        self.report = report

    def execute(self, context: Any) -> None:
        """Raises AirflowFailException on a MISS; AirflowException, which is tried again, on UNKNOWN alone."""
        report = Path(self.report)
        report.unlink(missing_ok=True)
        slo = read_slo(Path(self.objectives))
        judgements = [
            judged(self.prometheus_url, objective, value_query(objective, slo.judged)) for objective in slo.objectives
        ]
        table = verdict_table(judgements)
        self.log.info("\n%s", table)
        verdicts = {judgement.verdict for judgement in judgements}
        if verdicts == {Verdict.OK}:
            return
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(table + "\n")
        raise AirflowFailException(table) if Verdict.MISS in verdicts else AirflowException(table)


def slo_check(task_id: str, **task: Any) -> SloCheck:
    """The task with the objectives, the Prometheus and the report that the settings name."""
    settings = project_settings()
    return SloCheck(
        task_id=task_id,
        objectives=str(project_home() / settings.monitoring.objectives),
        prometheus_url=settings.monitoring.prometheus_url,
        report=str(report_path(settings, "{{ dag.dag_id }}", "{{ run_id }}", "{{ task.task_id }}")),
        **task,
    )


def judged(prometheus_url: str, objective: Objective, query: str) -> Judgement:
    """The verdict by what `query` yields now; UNKNOWN with the reason where Prometheus has no single number for it."""
    try:
        answer = requests.get(
            f"{prometheus_url.rstrip('/')}/api/v1/query", params={"query": query}, timeout=TIMEOUT_SECONDS
        )
        body = answer.json()
    except requests.RequestException as error:
        return judge(objective, None, f"no answer from {prometheus_url} ({type(error).__name__})")
    if body.get("status") != "success":
        return judge(objective, None, f"Prometheus refuses the query: {body.get('error', answer.status_code)}")
    return judge(objective, *_single(body["data"]))


def _single(data: dict[str, Any]) -> tuple[float | None, str]:
    """The one number of an instant query's answer, or None and why there is none."""
    if data["resultType"] == "scalar":
        return float(data["result"][1]), "not a number"
    if data["resultType"] != "vector":
        return None, f"the query yields a {data['resultType']}, not one number"
    series = data["result"]
    if not series:
        return None, "no data"
    if len(series) > 1:
        return None, f"the query yields {len(series)} series, not one number"
    return float(series[0]["value"][1]), "not a number: nothing was measured in the window"


def verdict_table(judgements: Sequence[Judgement]) -> str:
    """A line an objective, misses first: verdict, name, value against bound or why there is no value, description."""
    order = (Verdict.MISS, Verdict.UNKNOWN, Verdict.OK)
    return "\n".join(map(_line, sorted(judgements, key=lambda judgement: order.index(judgement.verdict))))


def _line(judgement: Judgement) -> str:
    objective, why = judgement.objective, judgement.why
    if judgement.verdict is Verdict.UNKNOWN:
        why = f"{why}; {bound_text(objective)} is promised"
    return f"{judgement.verdict:8} {objective.name:20} {why}  # {objective.description}"
