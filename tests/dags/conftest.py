"""The DAGs of the project in an Airflow of the test run's own."""

from typing import Any

import pytest

from tests import airflow_sandbox


@pytest.fixture(scope="session")
def dags() -> dict[str, Any]:
    """Every DAG by its id. Fails with the import errors, if there are any."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(airflow_sandbox.PROJECT / "dags"))
    assert bag.import_errors == {}
    return dict(bag.dags)
