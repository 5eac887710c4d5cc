"""A source that is away is named, with what to do; the others are shown as ever."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from contract.errors import BadInput
from contract.keys import Keys
from contract.settings import Settings, read_settings
from pacesetter_airflow.console.app import create_app
from pacesetter_airflow.console.sources import alerts
from tests.plugins.console.conftest import PREFIX, Console
from tests.plugins.console.sources import LATENCY, write_generation, write_verdicts
from tests.plugins.console.test_overview import text_of


class Away(NamedTuple):
    """`take` takes it away; what it is called ends so, and this is a part of why; without it the page lacks that."""

    take: Callable[[Console, str], None]
    called: str
    why: str
    lacks: Sequence[str]


def set_to(section: str, name: str) -> Callable[[Console, str], None]:
    return lambda console, url: object.__setattr__(getattr(console.settings, section), name, url)


def damaged(console: Console, _: str) -> None:
    for file in console.lake.rglob("*.parquet"):
        file.write_bytes(file.read_bytes()[:80])


def misspelt(console: Console, _: str) -> None:
    console.slo.write_text(console.slo.read_text().replace("at_most", "atmost"))


def no_folder(console: Console, _: str) -> None:
    console.models.rename(console.models.with_name("moved"))
    console.models.write_text("a file")


def redis_away(console: Console, url: str) -> None:
    set_to("redis", "url")(console, url.replace("http", "redis"))


GENERATION, NDCG, EPISODE, MISS, ALERT = (
    "Live generation 1",
    "0.1612",
    "Missed since",
    f"MISS {LATENCY}",
    "RankerMissing",
)
PARTS = (GENERATION, NDCG, EPISODE, MISS, ALERT, f"{LATENCY} half of the calls", "Data Docs: checks", "admitted open")
SOURCES = [
    Away(redis_away, "Redis", "is Redis up at the set URL?", [GENERATION]),
    Away(set_to("monitoring", "prometheus_url"), "Prometheus", "no answer from http://127.0.0.1:", [ALERT]),
    Away(damaged, "the lake", "verdicts.parquet is no day of slo_verdicts", [EPISODE, MISS]),
    Away(misspelt, "slo.yaml", "slo.yaml:14: objectives.1.atmost: no such key: did you mean `at_most`?", []),
    Away(no_folder, "the models folder", "NotADirectoryError", [NDCG, "admitted open"]),
]


@pytest.mark.parametrize("away", SOURCES, ids=lambda away: away.called)
def test_one_that_is_away_is_named_and_the_rest_stays(
    console: Console, client: Any, unused_url: str, away: Away
) -> None:
    console.write_all(client)
    away.take(console, unused_url)
    page, text = console.json(), text_of(console.html())
    (trouble,) = page["troubles"]
    assert trouble["source"].endswith(away.called)
    assert away.why in trouble["why"]
    assert (
        f"Nothing from {trouble['source']} {' '.join(trouble['why'].split())} Missing here: {trouble['missing']}"
        in text
    )
    assert [part for part in PARTS if part not in text] == away.lacks


def test_with_all_of_them_away_it_is_a_page(console: Console, unused_url: str, client: Any) -> None:
    console.write_all(client)
    for away in SOURCES:
        away.take(console, unused_url)
    text = text_of(console.html())
    assert text.count("Nothing from") == 5
    assert "No objectives known" in text
    assert "sla_check judges the objectives" in text


def test_a_prometheus_without_the_rules_tells_no_calm(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "WATCHDOG", "AnotherName")
    page = console.json()
    assert page["alerts"] is None
    assert "AnotherName does not fire: the rules of ops/rules are not evaluated" in page["troubles"][0]["why"]


def test_a_generation_that_is_gone_is_told_and_the_model_is_shown(console: Console, client: Any) -> None:
    write_generation(client, Keys("test"), "m1")
    client.delete(Keys("test").meta(1))
    page = console.json()
    assert (page["live"]["generation"], page["live"]["model"]) == (1, "m1")
    assert page["troubles"][0]["why"].startswith("generation 1 is not in Redis: run candidates_daily")
    assert "Live generation 1" in text_of(console.html())


def test_settings_that_do_not_hold_are_told_and_read_anew(console: Console, tmp_path: Path) -> None:
    env = tmp_path / ".env"

    def settings() -> Settings:
        return read_settings(env)

    outer = FastAPI()
    outer.mount(PREFIX, create_app(settings, lambda: tmp_path))
    console.client = TestClient(outer)
    env.write_text("PACE_REDIS__URLL=redis://127.0.0.1\n")
    with pytest.raises(BadInput, match="PACE_REDIS__URLL"):
        settings()
    answer = console.get("/")
    assert answer.status_code == 503
    assert "PACE_REDIS__URLL" in answer.text
    assert 'href="/dags/sla_check"' in answer.text
    assert "PACE_REDIS__URLL" in console.get("/index.json", kind="*/*").json()["detail"]
    env.write_text(f"PACE_NIGHT__LAKE={tmp_path / 'lake'}\n")
    assert console.get("/static/console.css").status_code == 200
    assert console.get("/evaluations/m1.html").status_code == 404


def test_a_lake_that_was_read_long_ago_is_read(console: Console, client: Any) -> None:
    """The days that there are are read, not those of the calendar: a check that was paused for a week shows what it
    knew."""
    write_verdicts(console.lake, console.slo, "OM", console.now - timedelta(days=9))
    assert console.json()["objectives"][0]["verdict"] == "MISS"
