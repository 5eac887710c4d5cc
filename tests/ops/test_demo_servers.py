"""Which server programs the demo finds, what it says of the others, and that each one listens on loopback only."""

import os
from pathlib import Path

import pytest
import yaml

from contract.settings import Settings
from ops.embedded import servers
from ops.embedded.monitoring import alertmanager_command, prometheus_command
from ops.embedded.programs import Folders, programs
from ops.embedded.servers import ALERTMANAGER, Server, ensure

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout's ops/ and docker/, with a `var/` of its own."""
    (tmp_path / "ops").symlink_to(ROOT / "ops")
    (tmp_path / "docker").symlink_to(ROOT / "docker")
    return tmp_path


def test_without_root_a_missing_server_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(servers, "apt_install", lambda packages: pytest.fail("installs without root"))
    said: list[str] = []
    ensure([Server("Prometheus", "prometheus", ("no-such-program",))], said.append)
    assert len(said) == 1
    assert "Prometheus is not on PATH" in said[0]
    assert "UNKNOWN" in said[0]


def test_alertmanager_is_found_under_either_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ALERTMANAGER.path() is None
    for name in ("alertmanager", "prometheus-alertmanager"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        assert ALERTMANAGER.path() == str(program)


def test_prometheus_scrapes_the_ports_of_the_settings(project: Path) -> None:
    settings = Settings(
        _env_file=None, gateway={"port": 18000}, monitoring={"prometheus_url": "http://127.0.0.1:19090"}
    )
    command = prometheus_command("prometheus", settings, project)
    config = yaml.safe_load((project / "var" / "run" / "prometheus.yml").read_text())
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]}
    assert targets["gateway"] == ["127.0.0.1:18000"]
    assert targets["ranker"] == ["127.0.0.1:8002"]
    assert "--web.listen-address=127.0.0.1:19090" in command
    assert "--storage.tsdb.retention.time=35d" in command
    assert all(target.startswith("127.0.0.1:") for job in targets.values() for target in job)
    assert all(Path(rule).is_file() for rule in config["rule_files"])


def test_alertmanager_mails_to_the_catcher_and_does_not_gossip(project: Path) -> None:
    settings = Settings(_env_file=None, mail={"port": 11025, "to": "me@localhost"})
    command = alertmanager_command("alertmanager", settings, project)
    config = yaml.safe_load((project / "var" / "run" / "alertmanager.yml").read_text())
    assert config["global"]["smtp_smarthost"] == "127.0.0.1:11025"
    mails = [mail for receiver in config["receivers"] for mail in receiver.get("email_configs", [])]
    assert {mail["to"] for mail in mails} == {"me@localhost"}
    assert "--cluster.listen-address=" in command


def test_airflow_serves_no_logs_on_every_interface(project: Path) -> None:
    commands = {program.name: program.command for program in programs(Settings(_env_file=None), Folders(project))}
    assert "--skip-serve-logs" in commands["airflow-scheduler"]
    assert "--skip-serve-logs" in commands["airflow-triggerer"]


def test_own_servers_on_other_hosts_are_left_alone(project: Path) -> None:
    settings = Settings(
        _env_file=None,
        redis={"url": "redis://redis.internal/0"},
        events={"url": "redis://redis.internal/1"},
        mail={"host": "smtp.internal"},
        monitoring={"prometheus_url": "http://p.internal", "alertmanager_url": "http://a.internal"},
        registry={"tracking_uri": "http://mlflow.internal"},
    )
    names = {program.name for program in programs(settings, Folders(project))}
    assert names == {"ranker", "gateway", "airflow-api", "airflow-scheduler", "airflow-dags", "airflow-triggerer"}
