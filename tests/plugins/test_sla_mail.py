"""The mails of an episode: what they say, and that nothing in them is markup or another header."""

from dataclasses import replace
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.slo import read_slo
from pacesetter_airflow.mail_page import one_line
from pacesetter_airflow.objectives.cause import Cause, Change
from pacesetter_airflow.objectives.episodes import PROMETHEUS, episode_of
from pacesetter_airflow.objectives.record import Record
from pacesetter_airflow.objectives.sla_mail import Places, episode_mail, runbook_page, subject
from tests.airflow_sandbox import PROJECT
from tests.plugins.verdict_rows import NOON, history_of

PLACES = Places("http://airflow", "http://gateway", "https://example.org/runbook")
CAUSE = Cause(
    window="30m",
    compared_with="the same 30m of last week",
    stages=(Change("total", 0.9, 0.2), Change("score", 0.5, 0.125), Change("queue", 0.1, None)),
    levels=(Change("full", 0.25, 1.0), Change("fast", 0.75, 0.0)),
    models=("v7",),
)
TAGS = {"h2", "p", "table", "tr", "th", "td", "a", "br"}


def mail_of(row: Record, cause: Cause = CAUSE, rows: list[Record] | None = None) -> EmailMessage:
    """As it arrives."""
    mail = episode_mail(row, episode_of(row, rows or [row]), cause, PLACES, "a@example.org", "b@example.org", NOON)
    return BytesParser(policy=default).parsebytes(mail.as_bytes())


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    return text.get_content(), page.get_content()


def missed(**more: object) -> Record:
    given = {"promised": "at most 0.5 s", "value": 0.75, "shown": "0.75 s", "kind": "bound", "run": "r/1+2"}
    return history_of("M", **{**given, **more})[0]


def test_the_mail_of_a_miss_says_what_how_much_and_what_grew() -> None:
    text, _ = parts(mail := mail_of(missed(window_seconds=1800, budget_left=0.125, budget_seconds=2_592_000)))
    assert mail["Subject"] == "MISS: p99, 0.75 s > 0.5 s"
    assert (mail["From"], mail["To"]) == ("a@example.org", "b@example.org")
    for line in (
        "Objective        p99: answers are quick",
        "Measured         0.75 s > 0.5 s",
        "Promised         at most 0.5 s",
        "Window           30m",
        "Budget left      12.5 % of that for 30d",
        "Since            2024-05-01 12:00:00 UTC",
        "Stage that grew  score: 500.0 ms on average, 125.0 ms in the same 30m of last week (+375.0 ms, 4.0 times)",
        "Model            v7",
        "stage, mean  now       the same 30m of last week  change",
        "total        900.0 ms  200.0 ms                   +700.0 ms",
        "queue        100.0 ms  –                          –",
        "fast                     75.0 %  0.0 %",
        "Run              http://airflow/dags/sla_check/runs/r%2F1%2B2",
        "Page             http://gateway/monitor",
        "What to do       https://example.org/runbook/P99Miss.md",
    ):
        assert line in text.splitlines(), text


@pytest.mark.parametrize(
    ("cause", "line"),
    [
        (Cause(unknown="no answer from http://p"), "Stages not known: no answer from http://p"),
        (Cause(window="30m"), "Stages nothing was asked of the gateway in the window"),
        (Cause(stages=(Change("score", 0.5, None),)), "Stages there is nothing earlier to compare with"),
        (
            Cause(compared_with="the same 30m of yesterday", stages=(Change("score", 0.5, 0.6),)),
            "Stages none is slower than the same 30m of yesterday",
        ),
    ],
)
def test_what_is_not_known_of_the_stages_is_said(cause: Cause, line: str) -> None:
    assert line in [" ".join(words.split()) for words in parts(mail_of(missed(), cause))[0].splitlines()]


def test_the_mail_of_the_end_says_how_long_and_how_bad_and_answers_the_first() -> None:
    rows = history_of("MMO", value=0.9, shown="0.9 s")
    first, last = mail_of(rows[0]), mail_of(rows[2], rows=rows)
    text, _ = parts(last)
    assert last["Subject"] == "OK again: p99"
    assert "Lasted      2m, from 2024-05-01 12:00:00 UTC to 2024-05-01 12:02:00 UTC" in text
    assert "Worst       0.9 s, at 2024-05-01 12:00:00 UTC" in text
    assert last["In-Reply-To"] == first["Message-ID"]
    assert last["Message-ID"] != first["Message-ID"]
    assert mail_of(rows[0])["Message-ID"] == first["Message-ID"], "sent twice, a reader can tell"


def test_of_an_end_whose_misses_are_read_no_more_no_worst_value_is_made_up() -> None:
    rows = history_of("MO", value=0.9, shown="0.9 s")
    assert "Worst" not in parts(mail_of(rows[1]))[0]


def test_that_prometheus_is_away_is_no_miss() -> None:
    away, there = history_of("MO", objective=PROMETHEUS)
    assert subject(away) == "UNKNOWN: Prometheus does not answer, nothing is judged"
    assert subject(there) == "OK again: Prometheus answers"
    assert "https://example.org/runbook/dags.md#sla_check" in parts(mail_of(away))[1]


def test_the_page_is_that_of_the_objective_s_alert() -> None:
    for objective in read_slo(PROJECT / "ops" / "slo.yaml").objectives:
        page = runbook_page(missed(objective=objective.name, kind=objective.kind))
        assert (PROJECT / "docs" / "runbook" / page).is_file()


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


EVIL = "x\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>\u2028\"'><img src=x onerror=y>&amp;"


@given(st.text(min_size=1) | st.just(EVIL))
def test_no_value_is_markup_or_a_header(evil: str) -> None:
    cause = Cause(
        compared_with="last week",
        stages=(Change(evil, 0.5, 0.1),),
        levels=(Change(evil, 1.0, 0.5),),
        models=(evil,),
        window=evil,
    )
    row = missed(objective=evil, description=evil, why=evil, promised=evil, run=evil)
    text, page = parts(mail := mail_of(row, cause))
    assert sorted(mail.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
    )
    assert "\n" not in mail["Subject"]
    for tag, attributes in Tags(page).found:
        assert tag in TAGS
        assert {name for name, _ in attributes} <= {"style", "href"}
        assert all(value is None or not value.startswith("javascript") for name, value in attributes if name == "href")
    assert page.count("<tr>") == page.count("</tr>") == Tags(page).found.count(("tr", []))
    assert len([line for line in text.splitlines() if line.startswith("Objective ")]) == 1


@given(st.text())
def test_a_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(text).isprintable()


def test_a_link_is_a_web_address_alone() -> None:
    places = replace(PLACES, runbook="javascript:alert(1)")
    row = missed()
    mail = episode_mail(row, episode_of(row, [row]), CAUSE, places, "a@example.org", "b@example.org", NOON)
    hrefs = [dict(attributes).get("href") for tag, attributes in Tags(parts(mail)[1]).found if tag == "a"]
    assert hrefs == ["http://airflow/dags/sla_check/runs/r%2F1%2B2", "http://gateway/monitor"]
