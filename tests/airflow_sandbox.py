"""An Airflow of this test run's own: importing this module sets its environment, before airflow is first imported."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from contract.settings import Settings
from jobs.java import java_home
from ops.embedded.airflow_env import airflow_environment, prepare_home

PROJECT = Path(__file__).resolve().parent.parent

_home = Path(tempfile.mkdtemp(prefix="airflow-"))
atexit.register(shutil.rmtree, _home, ignore_errors=True)
_settings = Settings(_env_file=None)
prepare_home(_settings, _home)
os.environ.update(airflow_environment(_settings, _home, PROJECT, java_home(_home)))
