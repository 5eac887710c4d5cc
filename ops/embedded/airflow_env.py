"""The environment of the embedded Airflow: SQLite, loopback only, one fixed password, no examples."""

import json
import os
import sys
from pathlib import Path

from contract.settings import Settings

HOST = "127.0.0.1"


def airflow_environment(settings: Settings, home: Path, project: Path, java_home: str | None = None) -> dict[str, str]:
    """Variables for `airflow standalone` and its tasks, to be laid over the environment of the caller.

    `home` becomes AIRFLOW_HOME (made by `prepare_home`), `project` holds dags/, plugins/, jobs/ and `.env`;
    `java_home` is a Java 17+ for Spark, or None for the one on PATH. Nothing is read here but PATH and NO_PROXY.
    """
    url = f"http://{HOST}:{settings.airflow.port}"
    smtp = {
        "conn_type": "smtp",
        "host": settings.mail.host,
        "port": settings.mail.port,
        "extra": {"disable_ssl": True, "disable_tls": True, "from_email": settings.mail.sender, "timeout": 10},
    }
    found_first = [str(Path(sys.executable).parent), *([f"{java_home}/bin"] if java_home else [])]
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(project / "plugins" / "loaded"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        # One second by default, spent between any two tasks: the night has more than a dozen.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
        # A DAG that was edited is read at once all the same; the others need no core twice a minute.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        # Two cores: more tasks at once than this only slow each other down.
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(settings.airflow.port),
        "AIRFLOW__API__BASE_URL": url,
        # Without it tasks on any port but 8080 fail with "Invalid auth token".
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CALLBACKS__CALLBACK_EXECUTION_TIMEOUT": "60",
        "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(smtp),
        "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps({"conn_type": "spark", "host": "local[*]"}),
        "AIRFLOW_VAR_PACESETTER_HOME": str(project),
        "PYSPARK_PYTHON": sys.executable,  # or Spark's workers find another Python, without our packages
        "SPARK_LOCAL_IP": HOST,
        **{name: ",".join([HOST, "localhost", os.environ.get(name, "")]) for name in ("NO_PROXY", "no_proxy")},
        "PATH": os.pathsep.join([*found_first, os.environ.get("PATH", os.defpath)]),
        **({"JAVA_HOME": java_home} if java_home else {}),
    }


def prepare_home(settings: Settings, home: Path) -> None:
    """Make `home` with its password file, which only the user may read."""
    home.mkdir(parents=True, exist_ok=True)
    passwords = home / "passwords.json"
    passwords.touch(mode=0o600)
    passwords.write_text(json.dumps({"admin": settings.airflow.password}))
