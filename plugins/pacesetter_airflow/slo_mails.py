"""The task that remembers the verdicts of a run and mails what has changed: once an episode, whatever is repeated."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from contract.slo import Verdict
from pacesetter_airflow.home import airflow_url, project_home, project_settings
from pacesetter_airflow.objectives.cause import Cause, find_cause
from pacesetter_airflow.objectives.episodes import PROMETHEUS, begins, continued, due, episode_of, on_prometheus
from pacesetter_airflow.objectives.prometheus import Prometheus
from pacesetter_airflow.objectives.record import FAILED, IN_DOUBT, SENDING, SENT, Record
from pacesetter_airflow.objectives.sla_mail import Places, episode_mail, subject
from pacesetter_airflow.objectives.training import decide
from pacesetter_airflow.post import NotSent, Undecided, post
from pacesetter_airflow.retraining import decision_path
from pacesetter_airflow.slo_check import RECORD

if TYPE_CHECKING:  # it imports pyarrow, which no parse of the DAGs needs
    from pacesetter_airflow.objectives.history import History

# Of an objective on a gauge, which has no window: the hour in which its stages are compared.
HOUR_SECONDS = 3600


class SloMails(BaseOperator):
    """Keeps the records that `judge` left for the names that `names` gave, in the lake; mails; decides on a training.

    `names` and `judge` are ids of tasks of the same run.
    """

    template_fields: Sequence[str] = ("lake", "prometheus_url", "decision")

    def __init__(self, *, names: str, judge: str, lake: str, prometheus_url: str, decision: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.names = names
        self.judge = judge
        self.lake = lake
        self.prometheus_url = prometheus_url
        self.decision = decision

    def execute(self, context: Any) -> None:
        """Raises AirflowException where a mail did not go out (it is tried again, by the next run, too), and
        AirflowFailException where nobody knows whether one did."""
        from pacesetter_airflow.objectives.history import DAYS, History

        monitoring = project_settings().monitoring
        history = History(self.lake)
        known = history.recent(max(DAYS, int(monitoring.retrain_min_days) + 2))
        history.put(new := continued(known, self._found(context)))
        for record in new:
            self.log.info("%-8s %s: %s", record.verdict, record.objective, record.why)
        rows = [*known, *new]
        if monitoring.retrain_after_misses:
            rows = self._decide(history, rows, context["run_id"])
        self._mail(history, rows)

    def _found(self, context: Any) -> list[Record]:
        """A record of each objective, UNKNOWN where its task left none, and one of Prometheus itself."""
        ti, run = context["ti"], context["run_id"]
        left = ti.xcom_pull(task_ids=[self.judge], key=RECORD) or []
        found = [Record.from_json(one) for one in left if one]
        away = on_prometheus(found)
        names = {record.objective for record in found}
        began, why = context["dag_run"].start_date, f"the task {self.judge} left no verdict: see its log"
        unjudged = [
            Record(time=began, run=run, objective=name, verdict=str(Verdict.UNKNOWN), why=why)
            for name in ti.xcom_pull(task_ids=self.names) or ()
            if name not in names
        ]
        return [*found, *unjudged, *([away] if away else [])]

    def _decide(self, history: "History", rows: Sequence[Record], run: str) -> list[Record]:
        """Leaves the decision for the task that trains; the rows, with the one that set it off."""
        monitoring, now = project_settings().monitoring, datetime.now(UTC)
        decision = decide(rows, run, now, monitoring.retrain_after_misses, monitoring.retrain_min_days)
        if decision.row is not None:
            history.put([decision.row])  # before it is acted upon: a crash must not set off a second one
        path = Path(self.decision)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"retrain": decision.row is not None, "why": decision.why}) + "\n")
        self.log.info("training: %s", decision.why)
        return [decision.row if decision.row and row.key == decision.row.key else row for row in rows]

    def _mail(self, history: "History", rows: Sequence[Record]) -> None:
        doubtful = [record for record in rows if record.mail == SENDING]
        for record in doubtful:  # the attempt before was killed between the two marks
            history.mark(record, IN_DOUBT, datetime.now(UTC))
        prometheus = Prometheus(self.prometheus_url, project_settings().monitoring.patience_seconds)
        for record in due(rows):
            mail = self._composed(record, rows, prometheus)
            history.mark(record, SENDING, datetime.now(UTC))
            try:
                post(mail)
            except NotSent as error:
                history.mark(record, FAILED, datetime.now(UTC))
                raise AirflowException(f"the mail {subject(record)!r} did not go out: {error}") from error
            except Undecided as error:
                self.log.warning("%s: %s", subject(record), error)
                history.mark(record, IN_DOUBT, datetime.now(UTC))
                doubtful.append(record)
            else:
                history.mark(record, SENT, datetime.now(UTC))
                self.log.info("mailed: %s", subject(record))
        if doubtful:
            raise AirflowFailException(
                "Nobody knows whether these mails went out, and they are not sent again: the task was killed, or the "
                "connection broke, before the server had answered.\n" + "\n".join(map(subject, doubtful))
            )

    def _composed(self, record: Record, rows: Sequence[Record], prometheus: Prometheus) -> EmailMessage:
        settings = project_settings()
        cause = Cause()
        if begins(record) and record.objective != PROMETHEUS:
            cause = find_cause(prometheus, record.time.timestamp(), record.window_seconds or HOUR_SECONDS)
        places = Places(
            airflow=airflow_url(),
            gateway=settings.monitoring.gateway_url.rstrip("/"),
            runbook=settings.monitoring.runbook_url.rstrip("/"),
        )
        episode, mail = episode_of(record, rows), settings.mail
        return episode_mail(record, episode, cause, places, mail.sender, mail.to, datetime.now(UTC))


def slo_mails(task_id: str, names: str, judge: str, **task: Any) -> SloMails:
    """The task with the lake and the Prometheus of the settings; it runs whatever became of the verdicts' tasks."""
    settings = project_settings()
    lake = settings.night.lake
    return SloMails(
        task_id=task_id,
        names=names,
        judge=judge,
        lake=lake if ":" in lake else str(project_home() / lake),
        prometheus_url=settings.monitoring.prometheus_url,
        decision=decision_path(),
        trigger_rule="all_done",
        **task,
    )


def retraining_wanted() -> bool:
    return project_settings().monitoring.retrain_after_misses > 0
