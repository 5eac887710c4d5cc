"""What a person on call would see: the alerts that Alertmanager holds, and the mails that arrive."""

import re
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

from ops.drill.places import loopback_session
from ops.drill.timeline import Timeline
from ops.embedded.mail_catcher import read_mails

STAGE = re.compile(r"^Stage that grew\s+(?P<told>(?P<stage>\w+): .*)$", re.MULTILINE)
TIMEOUT_SECONDS = 5.0
LOOK_SECONDS = 0.25


class Alert(NamedTuple):
    name: str
    severity: str


class Watch:
    """Looks at the Alertmanager at `alertmanager_url` and at the Maildir `mails`, and tells `timeline` what is new."""

    def __init__(self, alertmanager_url: str, mails: Path, timeline: Timeline) -> None:
        self._url = f"{alertmanager_url}/api/v2/alerts"
        self._mails = mails
        self._timeline = timeline
        self._session = loopback_session()
        self._seen: set[str] = set()
        self._firing: set[Alert] = set()

    def fires(self, name: str) -> bool:
        """Whether an alert of that name did when it was looked last."""
        return name in {alert.name for alert in self._firing}

    def look_until(self, seen: Callable[[], bool], most_seconds: float) -> None:
        """Look again and again; whether it was `seen` in time, the timeline tells. Raises as `look` does."""
        deadline = time.monotonic() + most_seconds
        while time.monotonic() < deadline:
            self.look()
            if seen():
                return
            time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Raises requests.RequestException where Alertmanager does not answer."""
        answer = self._session.get(self._url, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        now = {Alert(one["labels"]["alertname"], one["labels"].get("severity", "")) for one in answer.json()}
        for alert in sorted(now - self._firing):
            self._timeline.tell("firing", *alert)
        for alert in sorted(self._firing - now):
            self._timeline.tell("resolved", *alert)
        self._firing = now
        for key, mail in reversed(read_mails(self._mails)):
            if key not in self._seen:
                self._seen.add(key)
                self._timeline.tell("mail", str(mail["Subject"]), stage_told(mail))


def stage_told(mail: EmailMessage) -> str:
    """What a mail says of the stage that grew, its name first; empty where it says nothing."""
    found = STAGE.search(plain_text(mail))
    return found["told"].strip() if found else ""


def plain_text(mail: EmailMessage) -> str:
    body = mail.get_body(preferencelist=("plain",))
    return str(body.get_content()) if body is not None else ""
