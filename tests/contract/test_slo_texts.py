"""What Prometheus and Alertmanager would refuse, or read as something else, is refused before they see it."""

from pathlib import Path

import pytest

from contract.slo import read_slo
from contract.slo.duration import parse_duration
from tests.contract.slo_file import told, written


@pytest.mark.parametrize(
    ("changed", "line", "said"),
    [
        ({"l9": '    description: "{{ $value }} are quick"'}, 9, "has {{, which Prometheus would read as a template"),
        ({"l9": '    description: "99 }} are quick"'}, 9, "has }}, which Prometheus would read as a template"),
        ({"l9": '    description: " \\t\\n"'}, 9, "is blank: say what is promised"),
        ({"l9": '    description: ""'}, 9, "is blank: say what is promised"),
        ({"l20": '    at_most: 1\n    unit: "{{s"'}, 21, "has {{, which Prometheus would read as a template"),
        ({"l1": "budget: 999999w"}, 1, "'999999w' is longer than 10 years: write 3650d or less"),
        ({"l1": "budget: 30d\npatience: {unknown: 3651d}"}, 2, "'3651d' is longer than 10 years"),
        ({"l1": f"budget: 30d\nminimum_events: {'9' * 400}"}, 2, "minimum_events: "),
    ],
)  # fmt: skip
def test_a_text_or_number_that_prometheus_would_not_take_is_refused(
    tmp_path: Path, changed: dict[str, str], line: int, said: str
) -> None:
    path = written(tmp_path, **changed)
    lines = told(path)
    assert any(one.startswith(f"{path}:{line}: ") and said in one for one in lines), lines


def test_ten_years_are_a_length_of_time_also_in_seconds() -> None:
    assert parse_duration("3650d") == parse_duration("315360000s") == 315_360_000


def test_single_braces_are_a_text_like_any_other(tmp_path: Path) -> None:
    slo = read_slo(written(tmp_path, l9='    description: "of {all} calls"'))
    assert slo.objectives[0].description == "of {all} calls"


@pytest.mark.parametrize(
    "notify",
    [
        "smarthost: mailpit", "smarthost: 'mailpit:'", "smarthost: ':25'", "smarthost: 'mailpit:0'",
        "smarthost: 'mailpit:65536'", "smarthost: 'mailpit:smtp'", "smarthost: 'smtp://mailpit:25'",
        'smarthost: "mailpit:25\\n"', "smarthost: '::1:25'",
        "heartbeat_url: ftp://beat", "heartbeat_url: beat.example.com", "heartbeat_url: 'http://'",
        "heartbeat_url: 'http://a:99999/'", "heartbeat_url: 'http://a b/'", "heartbeat_url: 'https://a/%zz'",
        'heartbeat_url: "https://a/\\n"', "heartbeat_url: 'https://a/{{ .x }}'",
        "sender: nobody", "sender: a@", "sender: 'a@b, c@d'", 'sender: "a@b\\r\\nBcc: c@d"', "sender: 'Ops <a@b'",
        "page: ''", "page: 'a@b,'", "page: 'a@b c@d'", "page: '{{ .x }}@b'", 'page: "Ops\\n <a@b>"',
        "ticket: ops", "ticket: 'Ops <ops>'", "ticket: a@b@c",
        "password_file: ''\n  username: a", 'username: "a\\nb"\n  password_file: /p',
    ],
)  # fmt: skip
def test_an_address_that_alertmanager_could_not_use_is_refused(tmp_path: Path, notify: str) -> None:
    key = notify.partition(":")[0]
    path = written(tmp_path, l1=f"notify:\n  {notify}")
    lines = told(path)
    assert [line for line in lines if line.startswith(f"{path}:2: notify.{key}: ")] == lines
    assert all(": write " in line or ": name " in line for line in lines), lines


@pytest.mark.parametrize(
    "given", ["docs/runbook", "ftp://git/runbook", "https://git/blob?at=main", "https://git/a#b", "''"]
)
def test_a_runbook_that_alerts_could_not_link_is_refused(tmp_path: Path, given: str) -> None:
    path = written(tmp_path, l1=f"runbook_url: {given}")
    (line,) = told(path)
    assert line.startswith(f"{path}:1: runbook_url: ")
    assert ": write " in line or ": leave out " in line


@pytest.mark.parametrize("given", ["username: ops", "password_file: /run/secrets/mail"])
def test_a_mail_user_and_the_file_with_its_password_come_together(tmp_path: Path, given: str) -> None:
    path = written(tmp_path, l1=f"notify:\n  {given}")
    assert told(path) == [f"{path}:1: notify: needs both `username` and `password_file`, or neither: add the other one"]


@pytest.mark.parametrize(
    "notify",
    [
        "smarthost: 'smtp.example.com:587'", "smarthost: '[::1]:25'", "smarthost: '10.0.0.1:65535'",
        "heartbeat_url: https://user:secret@beat.example.com:8443/a%20b?c=d#e", "heartbeat_url: http://beat",
        "sender: Ops <ops@example.com>", 'sender: "\\"Ops, nights\\" <ops@example.com>"',
        "page: on.call+night@example.com", "page: 'a@b.c, Über Nacht <n@b.c>'", "username: a\n  password_file: /p",
    ],
)  # fmt: skip
def test_an_address_that_alertmanager_takes_is_taken(tmp_path: Path, notify: str) -> None:
    read_slo(written(tmp_path, l1=f"notify:\n  {notify}"))
