"""A night that does not end in time, by Airflow's own deadlines: the mail says what, since when, and where to look."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from tests.dags.conftest import Mailbox


@pytest.fixture
def late_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the executor is given for a run of features_daily that was queued and whose deadline has passed."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.models.deadline import Deadline
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.sdk import timezone
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    monkeypatch.setenv("AIRFLOW_VAR_PACESETTER_HOME", str(tmp_path))
    initdb()
    manager = DagBundlesManager()
    manager.sync_bundles_to_db()
    (bundle,) = manager.get_all_dag_bundles()
    bundle.initialize()
    bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
    sync_bag_to_db(bag, bundle.name, bundle.version)
    with create_session() as session:
        model = SerializedDagModel.get("features_daily", session=session)
        assert model is not None
        run = model.dag.create_dagrun(
            run_id="manual__2011-11-20T02:00:00+00:00",
            run_after=timezone.utcnow(),
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.QUEUED,
            session=session,
        )
        session.flush()
        (deadline,) = session.scalars(select(Deadline).where(Deadline.dagrun_id == run.id))
        assert deadline.deadline_time == run.queued_at + timedelta(minutes=240)
        deadline.handle_miss(session)
        return dict(deadline.callback.data)


def test_a_night_that_is_late_is_mailed(late_run: dict[str, Any], mailbox: Mailbox) -> None:
    from airflow.sdk.execution_time.callback_supervisor import execute_callback

    log = structlog.get_logger(__name__)
    assert execute_callback(late_run["path"], late_run["kwargs"], Path("features_daily.py"), None, log) == (True, None)
    (mail,) = mailbox.mails
    assert (mail["Subject"], mail["To"]) == ("features_daily is late", "oncall@localhost")
    text = mail.get_body(("plain",)).get_content()
    assert "manual__2011-11-20T02:00:00+00:00" in text
    assert "UTC, 240 minutes later" in text
    assert "State       queued" in text
    assert "/dags/features_daily/runs/manual__2011-11-20T02%3A00%3A00%2B00%3A00" in text
    assert "docs/runbook/dags.md#features_daily" in text
