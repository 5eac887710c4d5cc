"""Where the project lies, with which Python its jobs run, and its settings.

Both places are Airflow Variables given by environment: a Variable kept in Airflow's database would cost every
parse of every DAG a query.
"""

import os
import sys
from pathlib import Path

from airflow.sdk.configuration import conf

from contract.settings import Settings, read_settings

HOME_VARIABLE = "AIRFLOW_VAR_PACESETTER_HOME"
PYTHON_VARIABLE = "AIRFLOW_VAR_PACESETTER_PYTHON"


def project_home() -> Path:
    """The folder that holds jobs/, ops/ and `.env`: the Variable `pacesetter_home`, else the one above dags/."""
    given = os.environ.get(HOME_VARIABLE)
    return Path(given) if given else Path(conf.get("core", "dags_folder")).resolve().parent


def job_python() -> str:
    """The interpreter of the jobs: the Variable `pacesetter_python`, else the one that runs this task."""
    return os.environ.get(PYTHON_VARIABLE) or sys.executable


def airflow_url() -> str:
    """Where people open Airflow's page, without a slash at the end."""
    return str(conf.get("api", "base_url", fallback="http://localhost:8080")).rstrip("/")


def project_settings() -> Settings:
    """The settings that the jobs will read too. Raises BadInput, which Airflow shows as an import error."""
    return read_settings(project_home() / ".env")
