"""The loopback ports of the demo, each a setting, and who holds one that is taken."""

import errno
import socket
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from contract.errors import BadInput
from contract.settings import Settings

LOOPBACK = {"127.0.0.1", "localhost"}


@dataclass(frozen=True)
class Port:
    """One port of the demo: what listens there and the setting that says where."""

    service: str
    setting: str
    host: str
    number: int


def wanted_ports(settings: Settings) -> list[Port]:
    """Every port that the demo opens. What a setting places on another host is not ours to start: no port of ours."""
    urls = {
        "valkey": ("PACE_REDIS__URL", settings.redis.url, 6379),
        "valkey-events": ("PACE_EVENTS__URL", settings.events.url, 6379),
        "ranker": ("PACE_RANKER__ENDPOINT", settings.ranker.endpoint, 8001),
        "prometheus": ("PACE_MONITORING__PROMETHEUS_URL", settings.monitoring.prometheus_url, 9090),
        "alertmanager": ("PACE_MONITORING__ALERTMANAGER_URL", settings.monitoring.alertmanager_url, 9093),
    }
    if settings.registry.tracking_uri.startswith("sqlite:"):  # a server has pages of its own
        urls["registry"] = ("PACE_REGISTRY__UI_URL", settings.registry.ui_url, 5000)
    ports = [
        Port("gateway", "PACE_GATEWAY__PORT", settings.gateway.host, settings.gateway.port),
        Port("ranker-metrics", "PACE_RANKER__METRICS_PORT", settings.ranker.host, settings.ranker.metrics_port),
        Port("mail", "PACE_MAIL__PORT", settings.mail.host, settings.mail.port),
        Port("mail-page", "PACE_MAIL__WEB_PORT", "127.0.0.1", settings.mail.web_port),
        Port("airflow", "PACE_AIRFLOW__PORT", "127.0.0.1", settings.airflow.port),
    ]
    for service, (setting, url, default) in urls.items():
        parts = urlsplit(url)
        if parts.hostname:  # unix sockets and ipc:// have none
            ports.append(Port(service, setting, parts.hostname, parts.port or default))
    return [port for port in ports if port.host in LOOPBACK]


def check_ports(ports: list[Port]) -> None:
    """Raises BadInput with one line a port that two services want, or that something else holds."""
    by_number: dict[int, list[Port]] = defaultdict(list)
    for port in ports:
        by_number[port.number].append(port)
    problems = []
    for number, same in by_number.items():
        if len(same) > 1:
            problems.append(f"port {number} is set for {' and '.join(f'{p.service} ({p.setting})' for p in same)}")
        elif why := why_taken(same[0]):
            problems.append(f"port {number} for {same[0].service} {why}: free it, or set {same[0].setting}")
    if problems:
        raise BadInput("\n".join(problems))


def why_taken(port: Port) -> str | None:
    """Why nothing can listen there, with the process that does where the system tells, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((port.host, port.number))
            probe.listen(1)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return f"cannot be opened ({error.strerror})"
            holder = holder_of(port.number)
            return f"is in use by {holder}" if holder else "is in use"
    return None


def holder_of(number: int) -> str | None:
    """`name (pid N)` of the process that listens on `number`; None where only root could tell."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == number and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return None
