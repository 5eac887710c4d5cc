"""Catches every mail that the platform sends: SMTP into a Maildir, and a page on loopback that lists them.

`python -m ops.embedded.mail_catcher FOLDER`. Nothing is ever relayed.
"""

import email
import email.policy
import mailbox
import re
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from flask import Flask, Response, abort, render_template_string
from werkzeug.serving import make_server

from contract.settings import read_settings

# Templates given as strings are escaped by Flask: a mail's text is never markup here.
PAGE = """<!doctype html><meta charset="utf-8"><title>{{ title }}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #d9dee6}
pre,iframe{white-space:pre-wrap;background:#f5f7fa;padding:1rem;border:0;border-radius:6px}
iframe{width:100%;height:36rem;box-sizing:border-box}a{color:#0b57d0}.muted{color:#667}</style>
"""
LISTING = (
    PAGE
    + """<h1>Mails <span class="muted">({{ mails|length }})</span></h1>
{% if mails %}<table><tr><th>When<th>To<th>Subject</tr>
{% for key, mail in mails %}<tr><td>{{ mail["date"] or "" }}<td>{{ mail["to"] or "" }}
<td><a href="/mails/{{ key }}">{{ mail["subject"] or "(no subject)" }}</a></tr>{% endfor %}</table>
{% else %}<p>None yet: failures and SLA misses arrive here.</p>{% endif %}"""
)
ONE = (
    PAGE
    + """<p><a href="/">all mails</a></p><h1>{{ title }}</h1>
<p class="muted">{{ mail["date"] or "" }} · from {{ mail["from"] or "" }} · to {{ mail["to"] or "" }}</p>
{% if html %}<iframe sandbox srcdoc="{{ text }}"></iframe>{% else %}<pre>{{ text }}</pre>{% endif %}"""
)
# A mail's HTML is shown in a frame that runs nothing and, by this header, loads nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'"


def create_page(folder: Path) -> Flask:
    """The page over the Maildir at `folder`, newest mail first; `/mails.json` is the same for scripts."""
    page = Flask(__name__)

    @page.after_request
    def forbid_loading(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @page.get("/")
    def listing() -> str:
        return render_template_string(LISTING, title="Mails", mails=read_mails(folder))

    @page.get("/mails.json")
    def as_json() -> dict[str, Any]:
        return {
            "mails": [
                {**{name: mail[name] for name in ("date", "from", "to", "subject")}, "text": body_of(mail)[0]}
                for _, mail in read_mails(folder)
            ]
        }

    @page.get("/mails/<key>")
    def one(key: str) -> str:
        mail = dict(read_mails(folder)).get(key)
        if mail is None:
            abort(404)
        text, is_html = body_of(mail)
        return render_template_string(ONE, title=mail["subject"] or "(no subject)", mail=mail, text=text, html=is_html)

    return page


def read_mails(folder: Path) -> list[tuple[str, EmailMessage]]:
    """Key and message of every mail, newest first."""
    box = mailbox.Maildir(folder, create=True)
    keys = sorted(box.keys(), key=arrival, reverse=True)
    return [(key, email.message_from_bytes(box.get_bytes(key), policy=email.policy.default)) for key in keys]


def arrival(key: str) -> list[int]:
    """A Maildir key starts with the second and the microsecond of its arrival, unpadded."""
    return [int(number) for number in re.findall(r"\d+", key)[:2]]


def body_of(mail: EmailMessage) -> tuple[str, bool]:
    """The readable part, HTML before plain, and whether it is HTML; what cannot be decoded is replaced."""
    body = mail.get_body(preferencelist=("html", "plain"))
    raw = body.get_payload(decode=True) if body is not None else None
    if body is None or not isinstance(raw, bytes):
        return "", False
    text = raw.decode(body.get_content_charset() or "utf-8", errors="replace")
    return text, body.get_content_type() == "text/html"


def main(folder: Path) -> None:
    mail = read_settings().mail
    smtp = Controller(Mailbox(folder), hostname=mail.host, port=mail.port)
    smtp.start()
    server = make_server("127.0.0.1", mail.web_port, create_page(folder), threaded=True)
    print(f"mails sent to {mail.host}:{mail.port} are listed at http://127.0.0.1:{mail.web_port}", flush=True)
    try:
        server.serve_forever()
    finally:
        smtp.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
