"""The file in which a task leaves why it failed: a command's exit status alone says too little for a mail."""

from pathlib import Path

from contract import errors
from contract.settings import Settings
from pacesetter_airflow.home import project_home

# Refusals that another attempt may cure. The others name data or files that stay as they are.
MAY_PASS = (errors.StoreUnreachable, errors.PublishRefused, errors.RankerUnavailable, errors.Overloaded)


def report_path(settings: Settings, dag_id: str, run_id: str, task_id: str) -> Path:
    """`<night.reports>/<dag_id>/<run_id>/<task_id>.txt`; each part may be a Jinja expression.

    Airflow's own pattern of run ids admits no slash.
    """
    return project_home() / settings.night.reports / dag_id / run_id / f"{task_id}.txt"


def read_report(path: Path) -> str:
    """The reason that was left, or an empty string."""
    return path.read_text(errors="replace").strip() if path.is_file() else ""


def is_final(report: str) -> bool:
    """Whether `report` is a refusal of ours ("ValidationFailed: ...") that no further attempt can cure."""
    kind = getattr(errors, report.partition(":")[0], None)
    return isinstance(kind, type) and issubclass(kind, errors.PacesetterError) and not issubclass(kind, MAY_PASS)
