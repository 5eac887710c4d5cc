"""Rules, routes and dashboards in the programs that will read them: promtool, amtool.

These programs are required: where they are missing, a test fails rather than leave the files unchecked.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.metrics import ALL
from contract.slo import EventObjective, duration_text, read_slo
from tests.ops.monitoring_files import DASHBOARDS, OPS, ROOT, panels, rules, shown

SLO = read_slo(OPS / "slo.yaml")
RULES = rules()
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
RUNBOOK = ROOT / "docs" / "runbook"


def run(program: str, *arguments: str) -> str:
    """The output of a program that must be installed and must succeed."""
    path = shutil.which(program)
    assert path, f"{program} is not on PATH: install prometheus and prometheus-alertmanager"
    done = subprocess.run([path, *arguments], cwd=OPS, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_its_configuration() -> None:
    assert "1 rule files found" in run("promtool", "check", "config", "prometheus.yml")


def test_the_rules_do_what_their_unit_tests_say() -> None:
    run("promtool", "check", "rules", "rules/slo.yml")
    run("promtool", "test", "rules", "rules/slo_test.yml")


def test_alertmanager_takes_its_configuration() -> None:
    run("amtool", "check-config", "alertmanager.yml")


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=RecommendLatencyBurn", "severity=page"], "page"),
        (["alertname=RecommendLatencyBurn", "severity=ticket"], "ticket"),
        (["alertname=GatewayMissing", "severity=page"], "page"),
        (["alertname=GenerationFreshUnknown", "severity=ticket"], "ticket"),
        (["alertname=Watchdog", "severity=none"], "heartbeat"),
    ],
)
def test_an_alert_is_routed(labels: list[str], receiver: str) -> None:
    assert run("amtool", "config", "routes", "test", "--config.file=alertmanager.yml", *labels).strip() == receiver


def test_what_prometheus_keeps_is_what_the_objectives_count_on() -> None:
    command = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]["command"]
    assert f"--storage.tsdb.retention.time={duration_text(SLO.retention)}" in command


@pytest.mark.parametrize("objective", SLO.objectives, ids=lambda objective: objective.name)
def test_an_objective_alerts_when_it_is_missed_and_when_nobody_knows(objective: Any) -> None:
    camel = objective.name.title().replace("_", "")
    missed = [a for a in ALERTS if a["alert"] == camel + ("Burn" if isinstance(objective, EventObjective) else "Miss")]
    unknown = [alert for alert in ALERTS if alert["alert"] == f"{camel}Unknown"]
    severities = {"page": {"page", "ticket"}, "ticket": {"ticket"}}[objective.severity]
    if not isinstance(objective, EventObjective):
        severities = {objective.severity}
    assert {alert["labels"]["severity"] for alert in missed} == severities
    assert [alert["expr"].startswith("absent(") for alert in unknown] == [True]


def test_every_alert_has_its_page_in_the_runbook_and_every_page_its_alert() -> None:
    for alert in ALERTS:
        assert alert["annotations"]["runbook_url"] == f"docs/runbook/{alert['alert']}.md"
    pages = {page.stem for page in RUNBOOK.glob("*.md")} - {"README", "dags"}
    assert pages == {alert["alert"] for alert in ALERTS}


@pytest.mark.parametrize("name", sorted({alert["alert"] for alert in ALERTS}))
def test_a_page_of_the_runbook_says_what_to_do_and_is_in_the_index(name: str) -> None:
    page = (RUNBOOK / f"{name}.md").read_text()
    assert page.startswith(f"# {name}\n")
    assert re.findall(r"(?m)^## (.+)$", page) == ["What it means", "First look", "Likely causes", "What to do"]
    assert f"]({name}.md)" in (RUNBOOK / "README.md").read_text()


def test_the_jobs_that_alerts_name_are_scraped() -> None:
    scraped = {job["job_name"] for job in yaml.safe_load((OPS / "prometheus.yml").read_text())["scrape_configs"]}
    named = set(re.findall(r'job="(\w+)"', " ".join(alert["expr"] for alert in ALERTS)))
    assert named == {"gateway", "ranker"}
    assert named <= scraped


def test_a_query_asks_only_for_series_that_exist() -> None:
    """Those that the gateway, the ranker, the rules and Prometheus itself make."""
    parts = {f"{m.name}{end}" for m in ALL if m.type == "histogram" for end in ("_bucket", "_sum", "_count")}
    made = {metric.name for metric in ALL} | parts | RECORDED | {"up", "ALERTS"}
    for where, query in [*shown(), *((str(rule), rule["expr"]) for rule in RULES)]:
        asked = set(re.findall(r"\b(?:rec_\w+|(?:pace|slo):[\w:]+|up|ALERTS)\b", re.sub(r'"[^"]*"', "", query)))
        assert asked <= made, where
        assert asked or query.startswith("vector("), where


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_is_provisioned_and_its_panels_lie_side_by_side(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    source = yaml.safe_load((OPS / "grafana" / "provisioning" / "datasources" / "prometheus.yml").read_text())
    assert {panel["datasource"]["uid"] for panel in panels(dashboard)} == {source["datasources"][0]["uid"]}
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_grafana_finds_the_dashboards_where_compose_mounts_them() -> None:
    provider = yaml.safe_load((OPS / "grafana" / "provisioning" / "dashboards" / "pacesetter.yml").read_text())
    mounts = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./ops/grafana/dashboards:{provider['providers'][0]['options']['path']}:ro" in mounts
    assert "./ops/grafana/provisioning:/etc/grafana/provisioning:ro" in mounts
