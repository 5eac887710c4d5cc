"""Names of labels, series, alerts and pages, in one place.

Labels and the series `slo:*` are those of Sloth (github.com/slok/sloth, Apache-2.0), so that dashboards made for it
read ours. What Sloth has no name for begins with `pace:`.
"""

from contract.slo import Objective, Slo, duration_text

VALUE = "pace:objective:value"
BOUND = "pace:objective:bound"
STAGE_SECONDS = "pace:stage:seconds"
STAGE_SHARE = "pace:stage:share"
BOTTLENECK = "pace:bottleneck:share"
RUNBOOK = "docs/runbook"


def labels_of(slo: Slo, objective: Objective) -> dict[str, str]:
    """What every series of an objective carries."""
    return {
        "sloth_id": f"{slo.service}-{objective.name}",
        "sloth_service": slo.service,
        "sloth_slo": objective.name,
    }


def error_ratio_series(seconds: int) -> str:
    return f"slo:sli_error:ratio_rate{duration_text(seconds)}"


def events_series(seconds: int) -> str:
    """How many events there were."""
    return f"pace:events:increase{duration_text(seconds)}"


def page_of(alert: str, runbook: str | None = None) -> str:
    """The page of the runbook: its address where `runbook` is one, else its path in the project."""
    return f"{runbook or RUNBOOK}/{alert}.md"
