"""Imports into a real lake: what comes in, what does not, and what a second import changes."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from contract.errors import BadInput
from contract.schemas import EVENTS, ITEMS, QUARANTINE
from jobs.__main__ import main
from jobs.events.files import find_files
from jobs.events.load import import_files
from jobs.lake import Lake

NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)
LAMP = {"item_id": "lamp", "title": "Lamp", "updated_at": "2024-05-01T00:00:00Z"}
BULB = {**LAMP, "item_id": "bulb", "title": "Bulb", "attributes": {"socket": "E27"}}


@pytest.fixture
def lake(spark: SparkSession, lake: Lake) -> Lake:
    """An empty lake, and a Spark that is running: imports take the session that they find."""
    return lake


def event(event_id: str, item_id: str = "lamp", ts: str = "2024-05-01T10:00:00Z", **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "ts": ts, "type": "click", "item_id": item_id, **more}


def written(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def imported(lake: Lake, items: str = "", events: str = "", now: datetime = NOW) -> str:
    files = [*(find_files("items", items) if items else []), *(find_files("events", events) if events else [])]
    return "\n".join(import_files(lake, files, now, max_bad_share=0.5))


def rows(spark: SparkSession, lake: Lake, table: str, ddl: str) -> list[Any]:
    return lake.read_until(spark, table, "9999-12-31", ddl).collect()


def event_ids(spark: SparkSession, lake: Lake) -> list[str]:
    return sorted(row["event_id"] for row in rows(spark, lake, "events", EVENTS))


def set_aside(spark: SparkSession, lake: Lake) -> list[tuple[int, str]]:
    return sorted((row["row_number"], row["reason"]) for row in rows(spark, lake, "quarantine", QUARANTINE))


def files_of(lake: Lake) -> dict[str, bytes]:
    root = Path(lake.root)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_rows_lie_under_their_utc_day(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    items = written(tmp_path / "i.jsonl", [LAMP, BULB])
    late = "2024-05-01T23:30:00-02:00"  # half past one of the next day in UTC
    told = imported(lake, items, written(tmp_path / "e.jsonl", [event("e1"), event("e2", ts=late)]))
    assert lake.days("events") == ["2024-05-01", "2024-05-02"]
    (row,) = lake.read_day(spark, "events", "2024-05-02", EVENTS).collect()
    assert row.asDict() == {
        "event_id": "e2",
        "ts": datetime(2024, 5, 2, 1, 30),
        "type": "click",
        "user_id": None,
        "session_id": None,
        "item_id": "lamp",
        "position": None,
        "recommendation_id": None,
        "value": None,
    }
    bulb = min(rows(spark, lake, "items", ITEMS), key=lambda row: row["item_id"])
    assert (bulb["title"], bulb["attributes"], bulb["categories"], bulb["available"]) == (
        "Bulb",
        {"socket": "E27"},
        [],
        True,
    )
    assert "e.jsonl: 2 rows, 2 new, 0 known, 0 set aside" in told


def test_the_lakes_files_have_the_schema_of_the_contract(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    bad = {**event("e2"), "type": "bought"}
    imported(lake, written(tmp_path / "i.jsonl", [LAMP]), written(tmp_path / "e.jsonl", [event("e1"), bad]))
    for table, ddl in (("events", EVENTS), ("items", ITEMS), ("quarantine", QUARANTINE)):
        found = spark.read.parquet(lake.path(table)).drop("day").schema
        wanted = StructType.fromDDL(ddl)
        assert [(field.name, field.dataType) for field in found] == [(f.name, f.dataType) for f in wanted]


def test_the_same_rows_again_change_nothing(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    items = written(tmp_path / "i.jsonl", [LAMP])
    events = written(tmp_path / "e.jsonl", [event("e1"), event("e2", user_id="u")])
    imported(lake, items, events)
    before = files_of(lake)
    assert imported(lake, items, events).count("imported before") == 2
    assert files_of(lake) == before
    other = tmp_path / "other.parquet"  # the same rows in other bytes
    pq.write_table(pa.Table.from_pylist([event("e2", user_id="u"), event("e1")]), other)
    assert "2 rows, 0 new, 2 known, 0 set aside" in imported(lake, events=str(other))
    assert event_ids(spark, lake) == ["e1", "e2"]


def test_an_overlapping_file_adds_what_is_new(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    items = written(tmp_path / "i.jsonl", [LAMP])
    imported(lake, items, written(tmp_path / "monday.jsonl", [event("e1"), event("e2")]))
    told = imported(lake, events=written(tmp_path / "tuesday.jsonl", [event("e2"), event("e3")]))
    assert "2 rows, 1 new, 1 known, 0 set aside" in told
    assert event_ids(spark, lake) == ["e1", "e2", "e3"]


@pytest.mark.parametrize("change", [{"ts": "2024-05-09T00:00:00Z"}, {"user_id": "another"}, {"value": 2.0}])
def test_a_row_that_contradicts_the_lake_is_set_aside(
    spark: SparkSession, lake: Lake, tmp_path: Path, change: dict[str, Any]
) -> None:
    items = written(tmp_path / "i.jsonl", [LAMP])
    imported(lake, items, written(tmp_path / "monday.jsonl", [event("e1"), event("e2")]))
    told = imported(lake, events=written(tmp_path / "tuesday.jsonl", [event("e2") | change, event("e3")]))
    reason = "event_id: the lake has a row of this id, and it says something else"
    assert f"2 rows, 1 new, 0 known, 1 set aside (1 {reason})" in told
    assert set_aside(spark, lake) == [(1, reason)]
    assert event_ids(spark, lake) == ["e1", "e2", "e3"]


def test_a_repeated_id_is_known_if_it_says_the_same_and_set_aside_if_not(
    spark: SparkSession, lake: Lake, tmp_path: Path
) -> None:
    folder = tmp_path / "events"
    folder.mkdir()
    written(folder / "1.jsonl", [event("e1"), event("e2"), event("e1", user_id="other"), event("e1")])
    written(folder / "2.jsonl", [event("e2", value=2.0), event("e3")])
    told = imported(lake, written(tmp_path / "i.jsonl", [LAMP]), str(folder))
    assert "1.jsonl: 4 rows, 2 new, 1 known, 1 set aside" in told
    assert "2.jsonl: 2 rows, 1 new, 0 known, 1 set aside" in told
    reason = "event_id: a second row of this id, and it says something else"
    assert set_aside(spark, lake) == [(1, reason), (3, reason)]
    assert event_ids(spark, lake) == ["e1", "e2", "e3"]
    kept = next(row for row in rows(spark, lake, "events", EVENTS) if row["event_id"] == "e1")
    assert kept["user_id"] is None  # the first row of the first file


def test_an_item_may_have_versions(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    renamed = {**LAMP, "title": "Reading lamp", "updated_at": "2024-05-03T00:00:00Z"}
    conflicting = {**renamed, "title": "Floor lamp"}
    imported(lake, written(tmp_path / "1.jsonl", [LAMP]))
    told = imported(lake, written(tmp_path / "2.jsonl", [LAMP, renamed, conflicting]))
    assert "3 rows, 1 new, 1 known, 1 set aside" in told
    assert sorted(row["title"] for row in rows(spark, lake, "items", ITEMS)) == ["Lamp", "Reading lamp"]


def test_events_of_an_unknown_item_come_in_once_the_item_has(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    bad = {**event("e4"), "type": "bought"}
    events = written(tmp_path / "e.jsonl", [event("e1"), event("e2", item_id="bulb"), event("e3"), bad])
    told = imported(lake, written(tmp_path / "1.jsonl", [LAMP]), events)
    unknown = "item_id: not in the catalogue (import the item, then this file again)"
    bought = "type: none of impression, view, click, add_to_cart, purchase, rating"
    assert f"4 rows, 2 new, 0 known, 2 set aside (1 {bought}, 1 {unknown})" in told
    assert set_aside(spark, lake) == [(2, unknown), (4, bought)]
    (raw,) = [row["raw"] for row in rows(spark, lake, "quarantine", QUARANTINE) if row["row_number"] == 2]
    assert json.loads(raw)["event_id"] == "e2"

    assert "imported before" in imported(lake, events=events)  # nothing changed: it is not even read
    imported(lake, written(tmp_path / "2.jsonl", [BULB]))
    later = NOW.replace(day=11)
    assert "4 rows, 1 new, 2 known, 1 set aside" in imported(lake, events=events, now=later)
    assert event_ids(spark, lake) == ["e1", "e2", "e3"]
    assert set_aside(spark, lake) == [(4, bought)]  # no longer twice, and without what came in
    assert "imported before" in imported(lake, events=events, now=later)


def test_a_refused_file_leaves_everything_as_it_was(spark: SparkSession, lake: Lake, tmp_path: Path) -> None:
    imported(lake, written(tmp_path / "i.jsonl", [LAMP]), written(tmp_path / "e.jsonl", [event("e1")]))
    before = files_of(lake)
    good_items = written(tmp_path / "i2.jsonl", [BULB])
    strangers = written(tmp_path / "e2.jsonl", [event("e2"), event("e3", "vase"), event("e4", "rug")])
    with pytest.raises(BadInput) as refused:
        imported(lake, good_items, strangers)
    assert str(refused.value).startswith(f"{strangers}: 2 of 3 rows are bad: item_id: not in the catalogue")
    assert "(2 rows, first 2, 3). Nothing was imported" in str(refused.value)
    bad = written(tmp_path / "e3.jsonl", [{**event("e5"), "ts": "soon"}])
    with pytest.raises(BadInput, match=r"e3.jsonl: 1 of 1 rows are bad: ts: not a timestamp.* \(1 rows, first 1\)"):
        imported(lake, good_items, bad)
    (tmp_path / "blank.jsonl").write_text("\n\n")
    with pytest.raises(BadInput, match=r"blank.jsonl: no row of events"):
        imported(lake, good_items, str(tmp_path / "blank.jsonl"))
    assert files_of(lake) == before


def test_the_verb_tells_what_it_did_and_why_not(
    lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    items = Path(written(tmp_path / "i.jsonl", [LAMP])).as_uri()
    events = Path(written(tmp_path / "e.jsonl", [event("e1")])).as_uri()
    where = ["--lake", Path(lake.root).as_uri(), "--report", "reports/import.txt"]
    assert main(["import_events", "--items", items, "--events", events, *where]) == 0
    assert "1 rows, 1 new, 0 known, 0 set aside" in capsys.readouterr().out
    assert lake.days("events") == ["2024-05-01"]
    assert main(["import_events", *where]) == 1
    assert "give --events, --items, or both" in Path("reports/import.txt").read_text()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    items = written(tmp_path / "i.jsonl", [LAMP])
    assert main(["import_events", "--items", items, "--lake", str(tmp_path / "file" / "lake")]) == 1
    said = capsys.readouterr().err
    assert "NotADirectoryError" in said
    assert str(tmp_path / "file") in said
    assert "Traceback" not in said
