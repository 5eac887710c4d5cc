"""Logs of the servers as JSON, a record a line, whatever it holds."""

import json
import logging

import pytest

from contract.settings.operation import Log
from online.logs import write_logs


@pytest.fixture
def alone(monkeypatch):
    """Call it for a root logger without the handlers of pytest."""
    level = logging.getLogger().level
    yield lambda: monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logging.getLogger().setLevel(level)


def test_as_json_a_record_is_a_line_with_all_that_came_with_it(alone, capsys) -> None:
    alone()
    write_logs(Log(format="json"))
    logging.getLogger("one").info("two\n%s", 'th"ree', extra={"trace_id": "4", "timing_ms": {"total": 5.5}})
    try:
        raise ValueError("six")
    except ValueError:
        logging.getLogger("one").exception("seven")

    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first.pop("time")
    assert first == {
        "severity": "INFO",
        "logger": "one",
        "message": 'two\nth"ree',
        "trace_id": "4",
        "timing_ms": {"total": 5.5},
    }
    assert second["message"] == "seven"
    assert "ValueError: six" in second["exc_info"]


def test_for_people_it_is_a_line_of_text(alone, capsys) -> None:
    alone()
    write_logs(Log(level="WARNING"))
    logging.getLogger("one").info("not told")
    logging.getLogger("one").warning("told", extra={"trace_id": "4"})

    assert capsys.readouterr().err.endswith(" WARNING one: told\n")
