"""Records that stay, that go, and that are damaged."""

from pathlib import Path

import msgspec
import pytest

from contract.slo import Verdict
from jobs.drift.decision import Decision
from jobs.drift.record import Record, last_set_off, write_record
from jobs.drift.signals import Signal

SIGNAL = Signal("scores", 0.5, 0.25, Verdict.MISS, "PSI 0.500, a | b <c>")
RECORD = Record(
    version="20240331-000000000000",
    model_date="2024-03-31",
    date="2024-04-20",
    created_at=2.0,
    signals=(SIGNAL,),
    decision=Decision(True, "past its bound: scores 0.5 > 0.25"),
    set_off_at=2.0,
)


def test_a_record_is_read_as_it_was_written_and_has_pages(tmp_path: Path) -> None:
    path = write_record(tmp_path / "drift", RECORD)
    assert msgspec.json.decode(path.read_bytes(), type=Record) == RECORD
    assert "| scores | MISS | 0.500 | 0.25 | PSI 0.500, a \\| b <c> |" in path.with_suffix(".md").read_text()
    page = path.with_suffix(".html").read_text()
    assert "Train again: past its bound: scores 0.5 &gt; 0.25." in page
    assert "a | b &lt;c&gt;" in page


def test_a_damaged_record_is_told_and_not_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_record(tmp_path, RECORD)
    (tmp_path / "2024-04-01.json").write_text('{"half')
    assert last_set_off(tmp_path) == 2.0
    assert "2024-04-01.json is damaged" in capsys.readouterr().out
    assert last_set_off(tmp_path / "none") is None


def test_old_records_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.drift.record.KEPT", 2)
    for day in ("2024-04-20", "2024-04-22", "2024-04-21"):
        write_record(tmp_path, msgspec.structs.replace(RECORD, date=day))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"2024-04-{day}.{kind}" for day in (21, 22) for kind in ("html", "json", "md")
    ]
