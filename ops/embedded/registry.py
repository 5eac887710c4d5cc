"""MLflow's pages over the registry that the jobs write, where that is a SQLite file."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from contract.settings import Settings

SQLITE = "sqlite:///"

MLFLOW_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # Else it starts more processes for evaluations by language models.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def registry_command(settings: Settings, project: Path) -> list[str]:
    """The server with one worker; of lower priority, so that its start (10 s of CPU) does not hold up Airflow's."""
    database = project / settings.registry.tracking_uri.removeprefix(SQLITE)
    database.parent.mkdir(parents=True, exist_ok=True)
    page = urlsplit(settings.registry.ui_url)
    return [
        *("nice", "-n", "10", sys.executable, "-m", "mlflow", "server", "--workers", "1"),
        *("--host", page.hostname or "127.0.0.1", "--port", str(page.port or 5000)),
        *("--backend-store-uri", f"{SQLITE}{database}"),
        *("--default-artifact-root", (database.parent / "artifacts").as_uri()),
    ]
