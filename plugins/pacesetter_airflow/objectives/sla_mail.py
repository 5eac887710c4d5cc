"""The mails of an episode, as text and as HTML: what is missed and why that may be, and that it is over."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import quote

from contract.slo import alert_names, duration_text
from pacesetter_airflow.mail_page import Page, Row, as_mail, one_line
from pacesetter_airflow.objectives.cause import Cause, Change
from pacesetter_airflow.objectives.episodes import PROMETHEUS, Episode, ends
from pacesetter_airflow.objectives.record import Record


@dataclass(frozen=True)
class Places:
    """Where the mail leads to: addresses without a slash at their end."""

    airflow: str
    gateway: str
    runbook: str


def episode_mail(
    record: Record, episode: Episode, cause: Cause, places: Places, sender: str, to: str, now: datetime
) -> EmailMessage:
    """The mail that `record` causes, the row that begins `episode` or ends it.

    Its Message-ID follows from the episode: a server or a reader that meets it twice can tell. The mail of the end is
    an answer to that of the beginning.
    """
    over = ends(record)
    page = _end(record, episode, places) if over else _beginning(record, cause, places)
    mail = as_mail(page, sender, to, now)
    mail["Message-ID"] = _message_id(episode, over, sender)
    if over:
        mail["In-Reply-To"] = mail["References"] = _message_id(episode, False, sender)
    return mail


def subject(record: Record) -> str:
    """One line, whatever the names hold."""
    over, name = ends(record), record.objective
    if name == PROMETHEUS:
        return "OK again: Prometheus answers" if over else "UNKNOWN: Prometheus does not answer, nothing is judged"
    return one_line(f"OK again: {name}" if over else f"MISS: {name}, {record.why}")


def _beginning(record: Record, cause: Cause, places: Places) -> Page:
    facts = [
        Row("Objective", f"{record.objective}: {record.description}"),
        Row("Measured", record.why),
        Row("Promised", record.promised),
        Row("Window", duration_text(record.window_seconds) if record.window_seconds else "now"),
        *_budget(record),
        Row("Since", _time(record.time)),
        *_what_grew(cause),
        *([Row("Model", ", ".join(cause.models))] if cause.models else []),
    ]
    compared = ["now", cause.compared_with] if cause.compared_with else ["now"]
    wide = len(compared) > 1
    tables = [
        (["stage, mean", *compared, *(["change"] if wide else [])], [_stage_cells(one, wide) for one in cause.stages]),
        (["level, share of answers", *compared], [_level_cells(one, wide) for one in cause.levels]),
    ]
    told = (
        "No further mail comes until it is kept again."
        if record.objective != PROMETHEUS
        else ("No alert can tell this: Prometheus is the one that would. No further mail comes until it answers again.")
    )
    return Page(subject(record), told, facts, [table for table in tables if table[1]], _links(record, places))


def _end(record: Record, episode: Episode, places: Places) -> Page:
    lasted = duration_text(max(1, round(episode.lasted(record.time).total_seconds())))
    facts = [
        Row("Objective", f"{record.objective}: {record.description}"),
        Row("Measured", record.why),
        Row("Lasted", f"{lasted}, from {_time(episode.began)} to {_time(record.time)}"),
        *([Row("Worst", f"{episode.worst.shown}, at {_time(episode.worst.time)}")] if episode.worst else []),
        *_budget(record),
    ]
    return Page(subject(record), "", facts, [], _links(record, places))


def _what_grew(cause: Cause) -> list[Row]:
    if cause.unknown:
        return [Row("Stages", f"not known: {cause.unknown}")]
    if not cause.stages:
        return [Row("Stages", "nothing was asked of the gateway in the window")]
    if not cause.compared_with:
        return [Row("Stages", "there is nothing earlier to compare with")]
    grown = cause.grown
    if grown is None:
        return [Row("Stages", f"none is slower than {cause.compared_with}")]
    assert grown.now is not None
    assert grown.before is not None
    times = f", {grown.now / grown.before:.1f} times" if grown.before else ""
    return [
        Row(
            "Stage that grew",
            f"{grown.name}: {_ms(grown.now)} on average, {_ms(grown.before)} in {cause.compared_with} "
            f"(+{_ms(grown.now - grown.before)}{times})",
        )
    ]


def _budget(record: Record) -> list[Row]:
    if record.budget_seconds is None:
        return []
    left = "not known" if record.budget_left is None else f"{100 * record.budget_left:.1f} %"
    return [Row("Budget left", f"{left} of that for {duration_text(record.budget_seconds)}")]


def _stage_cells(stage: Change, wide: bool) -> list[str]:
    growth = "–" if stage.growth is None else f"{round(1000 * stage.growth, 1) + 0.0:+.1f} ms"
    return [stage.name, _ms(stage.now), *([_ms(stage.before), growth] if wide else [])]


def _level_cells(level: Change, wide: bool) -> list[str]:
    return [level.name, *(_percent(share) for share in ((level.now, level.before) if wide else (level.now,)))]


def _links(record: Record, places: Places) -> list[Row]:
    page = runbook_page(record)
    return [
        Row("Run", f"{places.airflow}/dags/sla_check/runs/{quote(record.run, safe='')}"),
        Row("Page", f"{places.gateway}/monitor"),
        Row("What to do", f"{places.runbook}/{page}"),
    ]


def runbook_page(record: Record) -> str:
    """The page of the objective's alert; that of the DAG for what has no alert."""
    if record.objective == PROMETHEUS:
        return "dags.md#sla_check"
    return quote(f"{alert_names(record.objective, record.kind).missed}.md", safe="")


def _message_id(episode: Episode, over: bool, sender: str) -> str:
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    digest = hashlib.sha256(f"{episode.id} {over}".encode()).hexdigest()[:32]
    return f"<{digest}@{domain}>"


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1000 * seconds:.1f} ms"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
