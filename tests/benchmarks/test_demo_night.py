"""The demo's night as a page says what was met and what was not."""

from pathlib import Path

import pytest

from benchmarks.demo_night import main, page
from benchmarks.machine import describe

FOUND = {
    "machine": describe(),
    "night_seconds": 480.4,
    "task_seconds": {"features_daily.features": 33.6},
    "peak_rss_mib": {"ranker": 300, "spark features": 1200},
    "cpu_seconds": {"spark features": 40.2},
    "time_met": False,
    "memory_met": True,
}


def test_a_missed_aim_is_told() -> None:
    text = page(FOUND)
    assert "took **480 s**; the aim of 480 s was MISSED" in text
    assert "held 1,200 MiB; the aim of 6,144 MiB was met" in text
    assert text.index("| spark features | 1,200 | 40 |") < text.index("| ranker | 300 | 0 |")
    assert "| `features_daily.features` | 34 |" in text


def test_without_a_night_it_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--night", str(tmp_path / "night.json")])
    assert "run `make demo ONCE=1` first" in capsys.readouterr().err
