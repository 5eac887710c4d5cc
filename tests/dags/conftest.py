"""The DAGs of the project in an Airflow of the test run's own."""

import os
from typing import Any

import pytest

from tests import airflow_sandbox


@pytest.fixture(scope="session")
def dags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every DAG by its id, with the default settings. Fails with the import errors, if there are any."""
    from airflow.dag_processing.dagbag import DagBag

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_VAR_PACESETTER_HOME", str(tmp_path_factory.mktemp("home")))  # without anybody's .env
        for name in [name for name in os.environ if name.startswith("PACE_")]:
            patch.delenv(name)
        bag = DagBag(dag_folder=str(airflow_sandbox.PROJECT / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)
