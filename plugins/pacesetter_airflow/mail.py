"""The mail of a failed task: what failed, why, in which run, where the log is, and what to do."""

import re
from html import escape
from typing import Any

from airflow.providers.smtp.hooks.smtp import SmtpHook

from pacesetter_airflow.home import project_settings
from pacesetter_airflow.reports import read_report, report_path

# A Spark job's exception carries its whole output; the log link leads to the rest.
LONGEST_REASON = 20_000


def mail_failure(context: Any) -> None:
    """`on_failure_callback` of a task: mails `mail.to` of the settings, over the connection `smtp_default`.

    Airflow calls it when no retry is left. Raises what SMTP raises; Airflow logs that in the task's log.
    """
    ti = context["ti"]
    report = read_report(report_path(project_settings(), ti.dag_id, ti.run_id, ti.task_id))
    _send(
        subject=f"{ti.dag_id}.{ti.task_id} failed",
        reason=report or str(context.get("exception") or "no reason was left: the process was killed, or ran too long"),
        context=context,
    )


def mail_timeout(context: Any) -> None:
    """`on_failure_callback` of a DAG: mails a run that was ended by its dagrun_timeout, which fails no task."""
    if context.get("reason") == "timed_out":
        dag = context["dag"]
        _send(
            subject=f"{dag.dag_id} timed out",
            reason=f"The run took longer than {dag.dagrun_timeout} and was ended; its open tasks were skipped.",
            context=context,
        )


def _send(subject: str, reason: str, context: Any) -> None:
    settings = project_settings()
    with SmtpHook() as smtp:
        smtp.send_email_smtp(
            to=settings.mail.to,
            from_email=settings.mail.sender,
            subject=re.sub(r"\s+", " ", subject),
            html_content=body(subject, reason, context),
            mime_subtype="alternative",
        )


def body(subject: str, reason: str, context: Any) -> str:
    """The HTML page of the mail; every value is escaped. Parts that the context lacks are left out."""
    ti, task = context.get("ti"), context.get("task")
    facts = {
        "Run": context.get("run_id") or getattr(ti, "run_id", None),
        "Date": (context.get("params") or {}).get("date"),
        "Attempt": f"{ti.try_number} of at most {ti.max_tries + 1}" if ti else None,
        "Log": getattr(ti, "log_url", None),
    }
    rows = "".join(
        f"<tr><th align=left>{name}</th><td>{_value(value)}</td></tr>" for name, value in facts.items() if value
    )
    todo = getattr(task, "doc_md", None) or "See the description of the DAG."
    return (
        f"<h2>{escape(subject)}</h2><pre>{escape(reason[-LONGEST_REASON:])}</pre><table>{rows}</table>"
        f"<h3>What to do</h3><p>{escape(todo.strip())}</p>"
    )


def _value(value: Any) -> str:
    text = escape(str(value))
    return f'<a href="{text}">{text}</a>' if text.startswith(("http://", "https://")) else text
