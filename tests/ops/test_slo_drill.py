"""The parts of `make slo-drill`: what is read of mails and alerts, what slows the ranker, where its servers are."""

import mailbox
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from contract.settings import Settings, read_settings
from contract.slo import EventObjective, read_slo
from contract.store.publisher import set_model
from online.ranker.main import Ranker
from ops.drill.phases import INJECTED_SECONDS, slow
from ops.drill.places import OBJECTIVES, drill_settings, fill, free_ports, scrape_as_often, variables_of
from ops.drill.slow_ranker import Slowed
from ops.drill.stack import drill_programs
from ops.drill.timeline import Timeline
from ops.drill.traffic import Taken
from ops.drill.verdict import OBJECTIVE
from ops.drill.watch import Watch, stage_told
from ops.embedded.monitoring import write_config
from ops.embedded.ports import LOOPBACK
from ops.embedded.programs import Folders
from ops.embedded.servers import ALERTMANAGER
from pacesetter_airflow.objectives.cause import Cause, Change
from pacesetter_airflow.objectives.episodes import episode_of
from pacesetter_airflow.objectives.sla_mail import Places, episode_mail
from tests.online.ranker.peer import Peer
from tests.online.toy import PriceScorer, free_port, publish, until, write_model
from tests.plugins.verdict_rows import NOON, history_of

SLO = read_slo(OBJECTIVES)


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        (
            (Change("total", 0.09, 0.03), Change("score", 0.08, 0.02), Change("encode", 0.01, 0.01)),
            "score: 80.0 ms on average, 20.0 ms in the day before (+60.0 ms, 4.0 times)",
        ),
        ((Change("score", 0.02, 0.03),), ""),
    ],
)
def test_the_stage_is_read_of_the_mail_as_sla_check_writes_it(stages: tuple[Change, ...], told: str) -> None:
    row = history_of("M")[0]
    cause = Cause(window="30s", compared_with="the day before", stages=stages)
    places = Places("http://airflow", "http://gateway", "docs/runbook")
    assert stage_told(episode_mail(row, episode_of(row, [row]), cause, places, "a@b", "c@d", NOON)) == told


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    """The address of a real one, which mails nobody."""
    path, address = ALERTMANAGER.path(), f"127.0.0.1:{free_port()}"
    assert path, "Alertmanager is not on PATH: install prometheus-alertmanager"
    config = write_config(
        tmp_path, "alertmanager.yml", {"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}
    )
    command = [path, f"--config.file={config}", f"--storage.path={tmp_path / 'data'}", "--cluster.listen-address="]
    server = subprocess.Popen([*command, f"--web.listen-address={address}"], stderr=subprocess.DEVNULL)
    try:
        until(lambda: answers(f"http://{address}/-/ready"), "Alertmanager is ready")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(30)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def test_an_alert_is_told_when_alertmanager_has_it_and_when_it_is_over(alertmanager: str, tmp_path: Path) -> None:
    timeline = Timeline(lambda line: None)
    watch = Watch(alertmanager, tmp_path / "mails", timeline)
    alert: dict[str, Any] = {"labels": {"alertname": "RecommendLatencyBurn", "severity": "page"}}

    requests.post(f"{alertmanager}/api/v2/alerts", json=[alert], timeout=5).raise_for_status()
    watch.look_until(lambda: watch.fires("RecommendLatencyBurn"), 60)
    watch.look()
    alert["endsAt"] = datetime.now(UTC).isoformat()
    requests.post(f"{alertmanager}/api/v2/alerts", json=[alert], timeout=5).raise_for_status()
    watch.look_until(lambda: not watch.fires("RecommendLatencyBurn"), 60)

    told = [(event.kind, event.name, event.detail) for event in timeline.events]
    assert told == [("firing", "RecommendLatencyBurn", "page"), ("resolved", "RecommendLatencyBurn", "page")]


def test_a_mail_is_told_once_in_the_order_of_arrival(alertmanager: str, tmp_path: Path) -> None:
    timeline = Timeline(lambda line: None)
    watch = Watch(alertmanager, tmp_path / "mails", timeline)
    box = mailbox.Maildir(tmp_path / "mails")
    for subject in ("MISS: recommend_latency", "OK again: recommend_latency"):
        box.add(f"Subject: {subject}\n\nStage that grew  score: 80.0 ms on average\n".encode())
    watch.look()
    watch.look()
    assert [(event.name, event.detail) for event in timeline.events] == [
        ("MISS: recommend_latency", "score: 80.0 ms on average"),
        ("OK again: recommend_latency", "score: 80.0 ms on average"),
    ]


def test_what_is_injected_is_time_of_scoring_and_ends_with_the_file(
    client: Any, keys: Any, valkey_url: str, tmp_path: Path
) -> None:
    """A ranker as it is, over its socket; a toy scores."""
    publish(client, keys)
    write_model(tmp_path / "models", "m1")
    set_model(client, keys, "m1")
    endpoint, delay = f"tcp://127.0.0.1:{free_port()}", tmp_path / "slow"
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        redis={"url": valkey_url, "prefix": "test", "timeout_seconds": 1.0},
        ranker={"endpoint": endpoint, "poll_seconds": 0.02},
        night={"models": str(tmp_path / "models")},
    )
    ranker = Ranker(settings, lambda directory: Slowed(PriceScorer(directory), delay))
    thread = threading.Thread(target=ranker.run)
    thread.start()
    peer = Peer(endpoint)
    try:
        until(lambda: ranker.watch.serving is not None, "the model serves")
        delay.write_text("1.0")
        slowed = peer.ask()
        delay.unlink()
        after = peer.ask()
    finally:
        peer.close()
        ranker.stop()
        thread.join(20)
    assert slowed.score_ms >= 1000
    assert slowed.encode_ms == 0.0
    assert after.scores == slowed.scores
    assert after.score_ms < 1000


def test_the_injection_is_in_the_file_whole(tmp_path: Path) -> None:
    slow(tmp_path / "slow")
    assert float((tmp_path / "slow").read_text()) == INJECTED_SECONDS == 0.15
    assert [path.name for path in tmp_path.iterdir()] == ["slow"]


def test_no_answer_that_waits_for_the_injection_is_within_the_drills_objective_which_pages() -> None:
    latency = next(objective for objective in SLO.objectives if objective.name == OBJECTIVE)
    assert isinstance(latency, EventObjective)
    assert latency.good is not None
    assert latency.good.within is not None
    assert latency.good.within <= INJECTED_SECONDS
    assert latency.severity == "page"


def test_prometheus_takes_the_rules_of_the_drill_and_scrapes_as_often_as_it_evaluates(tmp_path: Path) -> None:
    fill(Folders(tmp_path), SLO)
    config = tmp_path / "ops" / "prometheus.yml"
    scrape_as_often(config, SLO)
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not on PATH: install prometheus"
    done = subprocess.run([promtool, "check", "config", str(config)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "scrape_interval: 1s" in config.read_text()
    assert "interval: 1s" in (tmp_path / "ops" / "rules" / "slo.yml").read_text()


def test_every_server_reads_the_settings_of_the_drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = drill_settings(tmp_path)
    for name, value in variables_of(settings).items():
        monkeypatch.setenv(name, value)
    assert read_settings(env_file=None) == settings


def test_the_servers_of_a_drill_are_those_of_the_demo_on_loopback_with_a_ranker_to_slow(tmp_path: Path) -> None:
    fill(Folders(tmp_path), SLO)
    found = {one.name: one for one in drill_programs(drill_settings(tmp_path), Folders(tmp_path), tmp_path / "slow")}
    assert set(found) == {
        "valkey", "valkey-events", "mail", "ranker", "gateway", "airflow-api", "airflow-scheduler", "airflow-dags",
        "prometheus", "alertmanager",
    }  # fmt: skip
    assert list(found["ranker"].command[1:]) == ["-m", "ops.drill.slow_ranker", str(tmp_path / "slow")]
    assert {name for name, one in found.items() if one.command[0] == "nice"} == {
        "airflow-api", "airflow-scheduler", "airflow-dags",
    }  # fmt: skip
    ports = [port for one in found.values() for port in one.ports]
    assert {host for host, _ in ports} <= LOOPBACK
    assert len(ports) == len(set(ports)) == 9


def test_ports_differ() -> None:
    assert len(set(free_ports(20))) == 20


def test_what_was_answered_is_told_by_level() -> None:
    assert str(Taken([30.0, 50.0, 40.0], Counter(full=2, ConnectionError=1))) == (
        "2 full, 1 ConnectionError; median 40 ms, slowest 50 ms"
    )
    assert str(Taken([], Counter())) == "none"
