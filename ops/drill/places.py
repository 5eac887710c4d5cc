"""Where a drill lies: free ports and a folder of its own, whatever else runs on this machine."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
import yaml

from contract.settings import Settings
from contract.slo import Slo, duration_text
from ops.embedded.programs import Folders
from ops.generate.__main__ import FROM_OBJECTIVES

PROJECT = Path(__file__).resolve().parents[2]
OBJECTIVES = Path(__file__).parent / "slo.yaml"
HOST = "127.0.0.1"
# A busy machine must not look like a Redis that is gone, nor like a model that is too slow to be asked.
REDIS_SECONDS, ANSWER_MS = 1.0, 5000
RERANKED = 20


def drill_settings(folder: Path) -> Settings:
    """Of every server of the drill, on ports that are free now. No answer is cached: each is scored."""
    ports = iter(free_ports(11))
    gateway = next(ports)
    return Settings(
        _env_file=None,
        redis={"url": f"redis://{HOST}:{next(ports)}/0", "prefix": "drill", "timeout_seconds": REDIS_SECONDS},
        events={"url": f"redis://{HOST}:{next(ports)}/0"},
        gateway={
            "port": gateway,
            "cache_ttl_seconds": 0,
            "rerank_depth": RERANKED,
            "min_timeout_ms": 1000 * REDIS_SECONDS + 1,
            "timeout_ms": ANSWER_MS,
        },
        # Two threads of torch wait for each other where a core is taken: 7 of 100 calls took more than 140 ms.
        ranker={"endpoint": f"tcp://{HOST}:{next(ports)}", "metrics_port": next(ports), "threads": 1},
        night={"lake": str(folder / "lake"), "models": str(folder / "models"), "reports": str(folder / "reports")},
        registry={"tracking_uri": ""},
        mail={"port": next(ports), "web_port": next(ports)},
        airflow={"port": next(ports), "retry_delay_seconds": 1.0},
        monitoring={
            "prometheus_url": f"http://{HOST}:{next(ports)}",
            "alertmanager_url": f"http://{HOST}:{next(ports)}",
            "gateway_url": f"http://{HOST}:{gateway}",
            "objectives": str(OBJECTIVES),
        },
        log={"requests": "none"},
    )


def free_ports(count: int) -> list[int]:
    """Different ones, as all are held until the last is found."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]


def loopback_session() -> requests.Session:
    """A proxy has no business on loopback."""
    session = requests.Session()
    session.trust_env = False
    return session


def variables_of(settings: Settings) -> dict[str, str]:
    """What was set, as environment variables."""
    return {
        f"PACE_{section}__{name}".upper(): json.dumps(value) if isinstance(value, dict | list | tuple) else str(value)
        for section, values in settings.model_dump(exclude_unset=True).items()
        for name, value in values.items()
    }


def fill(folders: Folders, slo: Slo) -> None:
    """What the servers of the demo read of a checkout, with the monitoring of the drill's objectives."""
    (folders.project / "docker").symlink_to(PROJECT / "docker")
    for name, render in FROM_OBJECTIVES.items():
        write(folders.project / name, render(slo))
    write(folders.project / "ops" / "prometheus.yml", (PROJECT / "ops" / "prometheus.yml").read_text())


def scrape_as_often(config: Path, slo: Slo) -> None:
    """As rules are evaluated. Rewrites Prometheus' configuration: the demo scrapes every five seconds."""
    every = duration_text(slo.evaluation)
    found: dict[str, Any] = yaml.safe_load(config.read_text())
    write(config, yaml.safe_dump(found | {"global": {"scrape_interval": every, "scrape_timeout": every}}))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
