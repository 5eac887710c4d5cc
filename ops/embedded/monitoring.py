"""Prometheus and Alertmanager of the demo: the configuration of ops/ with its hosts on loopback."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from contract.settings import Settings
from contract.slo import duration_text, read_slo


def prometheus_command(path: str, settings: Settings, project: Path) -> list[str]:
    """Writes the configuration and yields the command. Raises BadInput: the objectives, which say what is kept."""
    slo = read_slo(project / settings.monitoring.objectives)
    config = yaml.safe_load((project / "ops" / "prometheus.yml").read_text())
    written = write_config(project, "prometheus.yml", on_loopback(config, settings, project / "ops"))
    data = project / "var" / "prometheus"
    return [
        path,
        f"--config.file={written}",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={duration_text(slo.retention)}",
        f"--web.listen-address={listen_address(settings.monitoring.prometheus_url, 9090)}",
    ]


def alertmanager_command(path: str, settings: Settings, project: Path) -> list[str]:
    """Writes the configuration and yields the command."""
    config = yaml.safe_load((project / "ops" / "alertmanager.yml").read_text())
    config["global"] |= {
        "smtp_smarthost": f"{settings.mail.host}:{settings.mail.port}",
        "smtp_from": settings.mail.sender,
    }
    for receiver in config["receivers"]:
        for mail in receiver.get("email_configs", []):
            mail["to"] = settings.mail.to
    written = write_config(project, "alertmanager.yml", config)
    return [
        path,
        f"--config.file={written}",
        f"--storage.path={project / 'var' / 'alertmanager'}",
        f"--web.listen-address={listen_address(settings.monitoring.alertmanager_url, 9093)}",
        "--cluster.listen-address=",  # its gossip would listen on every interface
    ]


def on_loopback(config: dict[str, Any], settings: Settings, ops: Path) -> dict[str, Any]:
    """`config` with the targets of the demo and absolute rule files."""
    alertmanager = listen_address(settings.monitoring.alertmanager_url, 9093)
    targets = {
        "gateway": f"{settings.gateway.host}:{settings.gateway.port}",
        "ranker": f"{settings.ranker.host}:{settings.ranker.metrics_port}",
        "prometheus": listen_address(settings.monitoring.prometheus_url, 9090),
        "alertmanager": alertmanager,
    }
    return config | {
        # Short: a person watches the demo.
        "global": config["global"] | {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": [str(ops / name) for name in config["rule_files"]],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [
            job | {"static_configs": [{"targets": [targets[job["job_name"]]]}]}
            for job in config["scrape_configs"]
            if job["job_name"] in targets
        ],
    }


def listen_address(url: str, default_port: int) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or default_port}"


def write_config(project: Path, name: str, config: dict[str, Any]) -> Path:
    path = project / "var" / "run" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path
