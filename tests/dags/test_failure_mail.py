"""A validation that fails, in the real DAG: the mail says what failed, with samples, and where the log is."""

from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pacesetter_airflow.slo_check import Missed, Unknown, mail_unless_judged
from tests.airflow_sandbox import PROJECT
from tests.dags.conftest import Mailbox

DAY = "2011-11-20"


@pytest.fixture
def bad_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings' lake: one item, and three events of which one has a type that no job knows."""
    monkeypatch.setenv("PACE_NIGHT__LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("PACE_NIGHT__REPORTS", str(tmp_path / "reports"))
    monkeypatch.setenv("PACE_NIGHT__DATA_DOCS", str(tmp_path / "docs"))
    monkeypatch.setenv("PACE_MAIL__TO", "night-watch@example.org")
    at = datetime(2011, 11, 20, 10, tzinfo=UTC)
    events = [
        {"event_id": "e1", "ts": at, "type": "purchase", "user_id": "u1", "item_id": "mug"},
        {"event_id": "e2", "ts": at, "type": "teleport", "user_id": "u1", "item_id": "mug"},
        {"event_id": "e3", "ts": at, "type": "purchase", "user_id": "u2", "item_id": "mug"},
    ]
    write_day(tmp_path / "lake" / "events", events)
    write_day(tmp_path / "lake" / "items", [{"item_id": "mug", "title": "Red mug", "updated_at": at}])


def write_day(table: Path, rows: list[dict[str, Any]]) -> None:
    folder = table / f"day={DAY}"
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "part.parquet", coerce_timestamps="us")


@pytest.fixture
def features_daily(bad_lake: None) -> Any:
    """The DAG as it is with these settings, in a database of the sandbox."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    return DagBag(dag_folder=str(PROJECT / "dags")).dags["features_daily"]


@pytest.mark.usefixtures("bad_lake")
def test_a_failed_validation_is_mailed_with_what_failed_and_what_to_do(features_daily: Any, mailbox: Mailbox) -> None:
    run = features_daily.test(run_conf={"date": DAY}, mark_success_pattern="import_.*")

    assert {ti.task_id: str(ti.state) for ti in run.get_task_instances()} == {
        "import_night": "success",
        "import_impressions": "success",
        "validate_events": "failed",
        "features": "upstream_failed",
        "validate_features": "upstream_failed",
    }
    (mail,) = mailbox.mails
    assert mail["Subject"] == "features_daily.validate_events failed"
    assert mail["To"] == "night-watch@example.org"
    body = mail.get_body(("html",))
    assert body is not None
    text = unescape(body.get_content())
    assert "ValidationFailed: 1 expectation does not hold" in text
    assert "expect_column_values_to_be_in_set on type" in text
    assert "1 unexpected of 3 rows" in text
    assert "event_id='e2'" in text
    assert "teleport" in text
    assert f"<td>{DAY}</td>" in text
    assert "1 of at most 3" in text, "no further attempt can cure it"
    assert f"/dags/features_daily/runs/{run.run_id}/tasks/validate_events" in text.replace("%3A", ":").replace(
        "%2B", "+"
    )
    assert "Open the Data Docs for the failed expectation" in text


@pytest.mark.parametrize(
    ("error", "mails"),
    [(Missed("MISS"), []), (Unknown("UNKNOWN"), []), (ValueError("a mistake"), ["sla_check.judge failed"])],
)
def test_a_verdict_is_not_mailed_by_its_own_task_but_its_mistakes_are(
    error: Exception, mails: list[str], mailbox: Mailbox
) -> None:
    ti = SimpleNamespace(
        dag_id="sla_check", run_id="r", task_id="judge", try_number=1, max_tries=1, log_url="http://airflow/log"
    )
    mail_unless_judged({"ti": ti, "run_id": "r", "exception": error})
    assert [mail["Subject"] for mail in mailbox.mails] == mails
