"""What lies under ops/ for Prometheus and Grafana, read for the tests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OPS = ROOT / "ops"
DASHBOARDS = sorted((OPS / "grafana" / "dashboards").glob("*.json"))


def rules() -> list[dict[str, Any]]:
    """Of every group, in order."""
    groups = yaml.safe_load((OPS / "rules" / "slo.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those that show something: rows do not."""
    return (panel for panel in dashboard["panels"] if panel["type"] != "row")


def shown() -> list[tuple[str, str]]:
    """(where it stands, PromQL) of every panel."""
    return [
        (f"{path.name}: {panel['title']}: {target['legendFormat']}", target["expr"])
        for path in DASHBOARDS
        for panel in panels(json.loads(path.read_text()))
        for target in panel["targets"]
    ]
