"""A button on a task's page that opens the model's run in the registry."""

from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperatorLink

from contract.reports import run_link


class RegistryRun(BaseOperatorLink):
    """The address that the job left beside its report. Airflow asks for it once, where the task has run."""

    name = "MLflow run"

    @property
    def xcom_key(self) -> str:
        return "registry_run"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Empty where the job left none, e.g. because the registry was away: then there is no button."""
        left = run_link(Path(operator.report))
        address = left.read_text(errors="replace").strip() if left.is_file() else ""
        return address if address.startswith(("http://", "https://")) else ""
