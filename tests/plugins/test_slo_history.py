"""The table of verdicts in a lake: what is read back, replaced, and left alone by a write that is cut short."""

from pathlib import Path
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
from upath import UPath

from contract.errors import BadInput
from pacesetter_airflow.objectives import history as history_module
from pacesetter_airflow.objectives.history import History
from pacesetter_airflow.objectives.record import Record
from tests.plugins.verdict_rows import NOON, history_of, record


@pytest.fixture(params=["path", "memory"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """On a disk, and where there are no folders, as on an object store."""
    return str(tmp_path / "lake") if request.param == "path" else f"memory://{uuid4().hex}/lake"


def test_rows_are_read_back_as_they_were_written(lake: str) -> None:
    history = History(lake)
    assert history.recent() == []
    whole = record(0, "M", value=0.75, bound=0.5, window_seconds=1800, budget_left=-0.25, budget_seconds=2_592_000)
    history.put([record(1, "U", why='<b>"naïve"</b>\n'), whole])
    assert history.recent() == [whole, record(1, "U", why='<b>"naïve"</b>\n')]
    assert Record.from_json(whole.as_json()) == whole


def test_a_row_of_the_same_key_is_replaced(lake: str) -> None:
    history = History(lake)
    history.put(history_of("MO"))
    history.mark(history_of("MO")[0], "sent", NOON)
    assert [(row.mail, row.mailed_at) for row in history.recent()] == [("sent", NOON), ("", None)]
    history.mark(history_of("MO")[0], "failed", NOON)
    assert [(row.mail, row.mailed_at) for row in history.recent()] == [("failed", None), ("", None)]


def test_the_last_days_that_there_are_are_read(lake: str) -> None:
    history, day = History(lake), 24 * 60
    history.put([record(0, "O"), record(day, "M"), record(40 * day, "U")])
    assert [row.verdict for row in history.recent(days=2)] == ["MISS", "UNKNOWN"]
    names = sorted(entry.name for entry in (UPath(lake) / "slo_verdicts").iterdir())
    assert names == ["day=2024-05-01", "day=2024-05-02", "day=2024-06-10"]


def test_a_write_that_is_cut_short_leaves_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(str(tmp_path))
    history.put([record(0, "M")])

    def cut_short(table: object, stream: object) -> None:
        stream.write(b"PAR1")
        raise OSError("no space left on device")

    monkeypatch.setattr(history_module.pq, "write_table", cut_short)
    with pytest.raises(OSError, match="no space"):
        history.put([record(1, "O")])
    assert history.recent() == [record(0, "M")]


def test_the_table_is_a_day_partitioned_one_for_whoever_reads_the_lake(tmp_path: Path) -> None:
    History(str(tmp_path)).put([record(0, "M"), record(24 * 60, "O")])
    table = pq.read_table(tmp_path / "slo_verdicts")
    assert [str(day) for day in table["day"].to_pylist()] == ["2024-05-01", "2024-05-02"]


def test_a_damaged_day_is_named(tmp_path: Path) -> None:
    History(str(tmp_path)).put([record(0, "M")])
    (file,) = (tmp_path / "slo_verdicts").glob("*/*.parquet")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(BadInput, match=r"day=2024-05-01/verdicts\.parquet is no day of slo_verdicts"):
        History(str(tmp_path)).recent()
