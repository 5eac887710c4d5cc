"""Shares of items and events, counted by hand."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.drift.turnover import new_share, unknown_share
from jobs.lake import Lake


def test_what_is_new_is_a_share_of_what_is_there() -> None:
    assert new_share("abc", "bcde") == 0.5
    assert new_share("abc", "ab") == 0.0
    assert new_share("", "ab") == 1.0
    assert new_share("ab", "") is None


def test_events_are_counted_after_the_models_day_to_the_days_end(tmp_path: Path) -> None:
    days = {"01": "xxxx", "02": "aax", "03": "ax", "04": "xxx"}  # only the 2nd and the 3rd lie between
    for day, items in days.items():
        folder = tmp_path / "events" / f"day=2024-05-{day}"
        folder.mkdir(parents=True)
        rows = [{"item_id": item, "type": "purchase"} for item in items] + [{"item_id": "x", "type": "impression"}]
        pq.write_table(pa.Table.from_pylist(rows), folder / "part.parquet")
    lake = Lake(str(tmp_path))
    assert unknown_share(lake, "2024-05-01", "2024-05-03", ("purchase", "click"), {"a"}) == pytest.approx(2 / 5)
    assert unknown_share(lake, "2024-05-01", "2024-05-03", ("impression",), {"a"}) == 1.0
    assert unknown_share(lake, "2024-05-01", "2024-05-03", ("rating",), {"a"}) is None
    assert unknown_share(lake, "2024-05-03", "2024-05-03", ("purchase",), {"a"}) is None
