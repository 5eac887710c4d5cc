"""The tab of a DAG run: what this run left and no other, and the verdicts of its time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from contract.keys import Keys
from tests.plugins.console.conftest import Console
from tests.plugins.console.sources import (
    FRESH,
    LATENCY,
    write_generation,
    write_model,
    write_validation,
    write_verdicts,
)
from tests.plugins.console.test_overview import MARKUP, text_of

AddRun = Callable[..., dict[str, str]]
HOUR = timedelta(hours=1)
RUN_ID = "manual__1+2~3"


@pytest.fixture
def add_run(airflow: Any) -> Any:
    """Puts a run into Airflow's database; what the tab is asked with."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    def add(dag_id: str, began: datetime | None, ended: datetime | None, by: str | None = None) -> dict[str, str]:
        run = DagRun(dag_id=dag_id, run_id=RUN_ID, run_type="manual", state="success", triggering_user_name=by)
        run.start_date, run.end_date = began, ended
        with create_session() as session:
            session.add(run)
        return {"dag_id": dag_id, "run_id": RUN_ID}

    yield add
    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.run_id == RUN_ID))


def verdicts(page: Any) -> list[tuple[str, str, str]]:
    return [(one["objective"], one["verdict"], one["run"]) for one in page["verdicts"]]


def test_a_run_of_sla_check_has_its_own_verdicts(console: Console, add_run: AddRun) -> None:
    rows = write_verdicts(console.lake, console.slo, "OMO", console.now)
    asked = {"dag_id": "sla_check", "run_id": rows[3].run}
    page = console.json("/run.json", **asked)
    assert page["own"]
    assert verdicts(page) == [
        (LATENCY, "MISS", "run 1"),
        ("(prometheus)", "OK", "run 1"),
        (FRESH, "OK", "run 1"),
    ]
    text = text_of(console.html("/run", **asked))
    assert "Verdicts of this run" in text
    assert f"{LATENCY} half of the calls <within> half a second MISS 0.4 < 0.5 at least 50 % 25.0 %" in text


def test_another_run_has_those_nearest_to_its_end(console: Console, add_run: AddRun) -> None:
    write_verdicts(console.lake, console.slo, "OMUO", console.now)  # 45, 30, 15 and 0 minutes ago
    ended = console.now - timedelta(minutes=28)
    asked = add_run("drift_daily", console.now - HOUR, ended)
    page = console.json("/run.json", **asked)
    assert not page["own"]
    assert verdicts(page)[0] == (LATENCY, "MISS", "run 1")
    assert page["verdicts"][0]["seconds_off"] == -120
    assert "2 min before" in text_of(console.html("/run", **asked))


def test_while_it_runs_those_nearest_to_now(console: Console, add_run: AddRun) -> None:
    write_verdicts(console.lake, console.slo, "OM", console.now)
    asked = add_run("drift_daily", console.now - HOUR, None)
    assert verdicts(console.json("/run.json", **asked))[0] == (LATENCY, "MISS", "run 1")
    assert "Verdicts nearest to now" in console.html("/run", **asked)


def test_the_validations_of_a_run_are_those_of_its_time(console: Console, add_run: AddRun) -> None:
    write_validation(console.docs, "events", console.now - 3 * HOUR)
    ours = write_validation(console.docs, "items", console.now - HOUR)
    (console.docs / "validations" / "x" / "y" / "no time").mkdir(parents=True)
    (console.docs / "validations" / "x" / "y" / "no time" / "x.html").write_text("")
    asked = add_run("features_daily", console.now - 2 * HOUR, console.now, by=MARKUP)
    page = console.json("/run.json", **asked)
    assert [one["page"] for one in page["validations"]] == [ours]
    assert (page["generations"], page["models"]) == (None, None)
    html = console.html("/run", **asked)
    assert f'href="/pacesetter/data-docs/{ours}"' in html
    assert "<script>alert" not in html
    assert f"manual by {MARKUP}" in text_of(html)


def test_the_generation_of_a_run_is_the_one_that_it_published(console: Console, add_run: AddRun, client: Any) -> None:
    number = write_generation(client, Keys("test"))
    asked = add_run("candidates_daily", console.now - HOUR, console.now + HOUR)
    page = console.json("/run.json", **asked)
    assert [(one["number"], one["date"]) for one in page["generations"]] == [(number, "2011-12-09")]
    assert f"{number} live for 2011-12-09" in text_of(console.html("/run", **asked))


def test_a_run_of_long_ago_claims_no_generation(console: Console, add_run: AddRun, client: Any) -> None:
    write_generation(client, Keys("test"))
    asked = add_run("candidates_daily", console.now - 30 * HOUR, console.now - 29 * HOUR)
    assert console.json("/run.json", **asked)["generations"] == []
    text = text_of(console.html("/run", **asked))
    assert "Neither the live generation nor the one before it was published by this run; older ones are gone" in text


def test_the_models_of_a_training_are_those_that_it_made(console: Console, add_run: AddRun, client: Any) -> None:
    write_model(console.models, console.now - 30 * HOUR)
    ours = write_model(console.models, console.now - HOUR, admitted=False)
    asked = add_run("reranker_weekly", console.now - 2 * HOUR, console.now)
    assert [one["version"] for one in console.json("/run.json", **asked)["models"]] == [ours]
    html = console.html("/run", **asked)
    assert f'href="/pacesetter/evaluations/{ours}.html"' in html
    assert "refused worse than the live model" in text_of(html)


def test_with_redis_away_the_rest_of_the_tab_stays(console: Console, add_run: AddRun, unused_url: str) -> None:
    write_verdicts(console.lake, console.slo, "M", console.now)
    ours = write_model(console.models, console.now - HOUR)
    object.__setattr__(console.settings.redis, "url", unused_url.replace("http", "redis"))
    asked = add_run("reranker_weekly", console.now - 2 * HOUR, console.now)
    text = text_of(console.html("/run", **asked))
    assert "Nothing from Redis" in text
    assert ours in text
    assert "MISS 0.4 < 0.5" in text


def test_a_run_that_is_not_there_is_told(console: Console, airflow: Any) -> None:
    text = text_of(console.html("/run", dag_id="features_daily", run_id=MARKUP))
    assert f"No such run Airflow has no run {MARKUP} of features_daily" in text
    assert "<script>alert" not in console.html("/run", dag_id=MARKUP, run_id=MARKUP)


def test_a_run_that_waits_has_not_begun(console: Console, add_run: AddRun) -> None:
    asked = add_run("features_daily", None, None)
    assert "it has not begun" in text_of(console.html("/run", **asked))


def test_a_run_is_named_by_two_parameters(console: Console) -> None:
    assert console.get("/run", dag_id="sla_check").status_code == 422
