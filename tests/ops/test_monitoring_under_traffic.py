"""Every panel and every rule in a real Prometheus that scrapes a real gateway and ranker with traffic on them."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from contract.records import Through
from contract.store.publisher import set_model
from ops.generate.__main__ import main
from tests.online.stack import Stack, running_stack
from tests.online.toy import free_port, publish, until, write_model
from tests.ops.monitoring_files import OPS, shown

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - {{job_name: gateway, static_configs: [{{targets: ["127.0.0.1:{gateway}"]}}]}}
  - {{job_name: ranker, static_configs: [{{targets: ["127.0.0.1:{ranker}"]}}]}}
"""
SECONDS = 180.0


class Prometheus:
    """A real one, that scrapes a stack each second and evaluates the committed objectives' rules as often."""

    def __init__(self, url: str) -> None:
        self._url = url

    def api(self, path: str, **parameters: str) -> Any:
        """`data` of an answer. Fails with the error that Prometheus tells."""
        try:
            with urllib.request.urlopen(f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            pytest.fail(f"{parameters}: {json.load(error)['error']}")

    def numbers(self, query: str) -> list[str]:
        """The values of a query's series, without those that are no number."""
        result = self.api("query", query=query)["result"]
        return [series["value"][1] for series in result if series["value"][1] != "NaN"]

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.api("rules")["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A ranker that refuses its first model and serves the second, and answers of each level kept for a second."""
    models = tmp_path_factory.mktemp("models")
    write_model(models, "m1")
    with running_stack(models, PACE_GATEWAY__CACHE_TTL_SECONDS="1") as stack:
        publish(stack.client, stack.keys, through=Through(100, click=0.2, purchase=0.1))
        set_model(stack.client, stack.keys, "missing")
        with stack.ranker(), stack.gateway():
            until(lambda: stack.ask()[1]["degraded"] == "ranker_no_model", "the ranker has no model")
            set_model(stack.client, stack.keys, "m1")
            stack.until_level("full")
            yield stack


@pytest.fixture(scope="module")
def prometheus(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    often = (OPS / "slo.yaml").read_text().replace("evaluation: 30s", "evaluation: 1s")
    (folder / "slo.yaml").write_text(often)
    assert main(["--objectives", str(folder / "slo.yaml"), "--into", str(folder)]) == 0
    config = CONFIG.format(rules=folder / "ops" / "rules" / "slo.yml", gateway=stack.port, ranker=stack.metrics_port)
    (folder / "prometheus.yml").write_text(config)
    program = shutil.which("prometheus")
    assert program, "prometheus is not on PATH: install it"
    address = f"127.0.0.1:{free_port()}"
    server = subprocess.Popen(
        [
            program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={address}", "--log.level=error",
        ]
    )  # fmt: skip
    try:
        until(lambda: is_ready(f"http://{address}/-/ready"), "Prometheus is ready")
        yield Prometheus(f"http://{address}")
    finally:
        server.terminate()
        server.wait(30)


def is_ready(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except OSError:
        return False
    return True


def test_under_traffic_no_panel_and_no_rule_stays_empty(stack: Stack, prometheus: Prometheus) -> None:
    """Alerts are empty as long as all is well: of them, what they ask for has to be there, and no error."""
    empty = dict(shown())
    sizes = count()

    def all_show_something() -> bool:
        for query in ("user_id=ann", "item_id=cup", "user_id=nobody", "item_id=lamp"):
            stack.ask(f"{query}&n={next(sizes) % 8 + 1}")
        stack.ask("n=0")
        rules = prometheus.rules()
        recorded = {rule["name"]: rule["name"] for rule in rules if rule["type"] == "recording"}
        asked = {**empty, **recorded} if rules else {"rules": "absent(up)"}
        now_empty = {where: query for where, query in asked.items() if not prometheus.numbers(query)}
        empty.clear()
        empty.update(now_empty)
        return not empty and all(rule["health"] == "ok" for rule in rules)

    try:
        until(all_show_something, "every panel and rule yields a number", SECONDS)
    except AssertionError:
        broken = {rule["name"]: rule.get("lastError") for rule in prometheus.rules() if rule["health"] != "ok"}
        raise AssertionError(f"empty: {sorted(empty)}; in error or not evaluated: {broken}") from None


def test_under_good_traffic_nothing_but_the_watchdog_and_few_events_alert(stack: Stack, prometheus: Prometheus) -> None:
    until(lambda: "1" in prometheus.numbers('ALERTS{alertname="Watchdog"}'), "the watchdog fires")
    assert prometheus.numbers('ALERTS{alertname=~".*Unknown|.*Missing|TargetDown|RecommendAvailability.*"}') == []


def test_a_broken_query_would_be_told(prometheus: Prometheus) -> None:
    with pytest.raises(pytest.fail.Exception, match="parse error"):
        prometheus.numbers("sum(rate(rec_level_total))")
