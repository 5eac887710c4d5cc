"""Which rows enter, and for what reason the others are set aside: no Spark needed."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath

from contract.errors import BadInput
from jobs.events.files import Table, find_files
from jobs.events.staging import Tally, stage_file

NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)
EVENT = {"event_id": "e1", "ts": "2024-05-01T10:00:00Z", "type": "click", "item_id": "a"}
ITEM = {"item_id": "a", "title": "Lamp", "updated_at": "2024-05-01T00:00:00Z"}


def json_lines(path: Path, *rows: Any) -> Path:
    """Dicts are written as JSON, bytes as they are."""
    path.write_bytes(b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows))
    return path


def parquet(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def stage(table: Table, path: Path) -> tuple[Tally, list[dict[str, Any]], list[dict[str, Any]]]:
    """The tally, the good rows and the rows set aside."""
    folder = path.parent / "staging"
    (file,) = find_files(table, str(path))
    tally = stage_file(file, 0, UPath(folder), NOW)
    aside = folder / "aside" / "0" / "checked.parquet"
    good = pq.read_table(folder / table / "0.parquet").to_pylist()
    return tally, good, pq.read_table(aside).to_pylist() if aside.exists() else []


@pytest.mark.parametrize(
    ("table", "change", "reason"),
    [
        ("events", {"type": "bought"}, "type: none of impression, view, click, add_to_cart, purchase, rating"),
        ("events", {"type": None}, "type: missing or empty"),
        ("events", {"event_id": ""}, "event_id: missing or empty"),
        ("events", {"item_id": None}, "item_id: missing or empty"),
        ("events", {"item_id": "ä" * 257}, "item_id: longer than 512 bytes"),
        ("events", {"user_id": "u" * 513}, "user_id: longer than 512 bytes"),
        ("events", {"item_id": "a\0b"}, "item_id: has a NUL"),
        ("items", {"item_id": "\0"}, "item_id: has a NUL"),
        ("events", {"item_id": 1.5}, "item_id: expected `int | str | null`, got `float`"),
        ("events", {"ts": "yesterday"}, "ts: not a timestamp (ISO 8601, or epoch milliseconds)"),
        ("events", {"ts": "2024-02-30T00:00:00Z"}, "ts: not a timestamp (ISO 8601, or epoch milliseconds)"),
        ("events", {"ts": 1714557600}, "ts: not a timestamp (ISO 8601, or epoch milliseconds)"),
        ("events", {"ts": "2024-05-10T13:00:01Z"}, "ts: in the future"),
        ("events", {"ts": "2999-01-01T00:00:00Z"}, "ts: in the future"),
        ("events", {"ts": "2999-01-01"}, "ts: in the future"),
        ("events", {"ts": "2999"}, "ts: not a timestamp (ISO 8601, or epoch milliseconds)"),
        ("events", {"ts": "1969-12-31T23:59:59Z"}, "ts: before 1970"),
        ("events", {"position": -1}, "position: expected `int` >= 0"),
        ("events", {"value": "good"}, "value: expected `float | null`, got `str`"),
        ("items", {"price": -0.01}, "price: negative"),
        ("items", {"title": " \t"}, "title: missing or empty"),
        ("items", {"title": "t" * 10_001}, "title: longer than 10000 bytes"),
        ("items", {"text": "x" * 10_000_000}, "text: longer than 1000000 bytes"),
        ("items", {"categories": ["home", ""]}, "categories: an entry is null, empty, not UTF-8, or longer than 512"),
        ("items", {"attributes": {"watts": 40}}, "attributes: expected `str | null`, got `int`"),
        ("items", {"updated_at": "2025-01-01"}, "updated_at: in the future"),
    ],
)
def test_a_bad_line_is_set_aside_with_its_reason(
    tmp_path: Path, table: Table, change: dict[str, Any], reason: str
) -> None:
    good = EVENT if table == "events" else ITEM
    tally, kept, aside = stage(table, json_lines(tmp_path / "rows.jsonl", good, {**good, **change}))
    assert [row["row_number"] for row in kept] == [1]
    ((row_number, told, raw),) = [(row["row_number"], row["reason"], row["raw"]) for row in aside]
    assert (row_number, told[: len(reason)]) == (2, reason)
    assert raw.startswith("{")
    assert len(raw) <= 1000
    assert tally.rows == 2


def test_lines_that_are_no_rows_do_not_stop_the_others(tmp_path: Path) -> None:
    path = json_lines(
        tmp_path / "rows.ndjson",
        b"\xef\xbb\xbf" + json.dumps(EVENT).encode(),  # a byte order mark is no part of the row
        b'{"event_id": "e2"',  # cut off
        b"",  # blank lines count as lines, not as rows
        json.dumps({**EVENT, "note": "caf?"}).encode().replace(b"?", b"\xe9"),  # Latin-1, if only in a column left out
        b'{"value": NaN}',  # no JSON, though Python writes it
        b'["a", "list"]',
        {**EVENT, "event_id": "e7", "colour": "unknown columns are left out"},
    )
    tally, kept, aside = stage("events", path)
    assert [(row["row_number"], row["event_id"]) for row in kept] == [(1, "e1"), (7, "e7")]
    assert [(row["row_number"], row["reason"]) for row in aside] == [
        (2, "line: not JSON"),
        (4, "line: not UTF-8"),
        (5, "value: not a finite number (JSON has no NaN: write null)"),
        (6, "line: expected `object`, got `array`"),
    ]
    assert {row["source_file"] for row in aside} == {str(path)}
    assert (tally.rows, tally.kept) == (6, 2)


def test_a_line_that_fits_no_memory_is_skipped_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.events.json_lines.MAX_LINE_BYTES", 200)
    path = json_lines(tmp_path / "rows.jsonl", {**ITEM, "text": "x" * 1000}, ITEM)
    _, kept, aside = stage("items", path)
    assert [row["row_number"] for row in kept] == [2]
    assert [(row["row_number"], row["reason"]) for row in aside] == [(1, "line: longer than 200 bytes")]


def test_times_are_utc_whatever_they_come_as(tmp_path: Path) -> None:
    instant = datetime(2024, 5, 1, 10, tzinfo=UTC)
    path = json_lines(
        tmp_path / "rows.jsonl",
        *(
            {**EVENT, "ts": ts}
            for ts in ("2024-05-01T12:00:00+02:00", "2024-05-01 10:00:00", 1714557600000, "1714557600000")
        ),
    )
    assert [row["ts"] for row in stage("events", path)[1]] == [instant] * 4
    for kind, place in ((pa.timestamp("ns"), "naive"), (pa.timestamp("ms", "Europe/Paris"), "zoned")):
        whole = {name: [value] for name, value in EVENT.items()}
        (tmp_path / place).mkdir()
        path = parquet(tmp_path / place / "e.parquet", **{**whole, "ts": pa.array([instant], kind)})
        assert [row["ts"] for row in stage("events", path)[1]] == [instant]


def test_parquet_types_of_other_tools_are_taken(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "items.parquet",
        item_id=pa.array([7, 8]),
        title=pa.array(["Lamp", "Bulb"]).dictionary_encode(),
        price=pa.array([1, 2], pa.decimal128(10, 2)),
        categories=pa.array([["home"], None], pa.large_list(pa.large_string())),
        attributes=pa.array([{"socket": "E27", "watts": None}, None]),  # a struct, as pandas writes dicts
        updated_at=pa.array([datetime(2024, 5, 1).date()] * 2),
    )
    _, kept, aside = stage("items", path)
    assert aside == []
    assert kept[0] == {
        "item_id": "7",
        "title": "Lamp",
        "text": None,
        "categories": ["home"],
        "price": 1.0,
        "attributes": [("socket", "E27")],
        "available": True,
        "updated_at": datetime(2024, 5, 1, tzinfo=UTC),
        "row_number": 1,
        "place": 0,
    }
    assert (kept[1]["categories"], kept[1]["attributes"]) == ([], [])


def test_bad_values_in_parquet_are_set_aside_by_row(tmp_path: Path) -> None:
    latin = pa.Array.from_buffers(pa.string(), 5, pa.array([b"ok", b"caf\xe9", b"ok", b"ok", b"ok"]).buffers())
    path = parquet(
        tmp_path / "items.parquet",
        item_id=["a", "b", "c", "d", "e"],
        title=latin,
        price=[1.0, 1.0, float("nan"), float("inf"), None],
        updated_at=["2024-05-01"] * 5,
    )
    _, kept, aside = stage("items", path)
    assert [row["item_id"] for row in kept] == ["a", "e"]
    assert [(row["row_number"], row["reason"]) for row in aside] == [
        (2, "title: not UTF-8"),
        (3, "price: not a finite number"),
        (4, "price: not a finite number"),
    ]
    assert "caf�" in aside[0]["raw"]


def test_a_category_that_is_no_text_is_set_aside(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "items.parquet",
        item_id=["a", "b"],
        title=["A", "B"],
        categories=pa.array([[b"caf\xe9"], [b"caf\xc3\xa9"]], pa.list_(pa.binary())),
        updated_at=pa.array([0, 2**63], pa.uint64()),
    )
    _, kept, aside = stage("items", path)
    assert kept == []
    assert [row["reason"] for row in aside] == [
        "categories: an entry is null, empty, not UTF-8, or longer than 512 bytes",
        "updated_at: before 1970",
    ]


def test_positions_that_pandas_made_floats_are_taken(tmp_path: Path) -> None:
    whole = {name: [value] * 3 for name, value in EVENT.items()}
    _, kept, aside = stage("events", parquet(tmp_path / "e.parquet", **whole, position=[3.0, None, 0.5]))
    assert [row["position"] for row in kept] == [3, None]
    assert [row["reason"] for row in aside] == ["position: not a whole number from 0 up"]


def test_a_parquet_file_of_a_wrong_schema_is_refused_by_column(tmp_path: Path) -> None:
    path = parquet(tmp_path / "items.parquet", item_id=["a"], price=[{"amount": 1}], updated_at=[True])
    with pytest.raises(BadInput) as refused:
        stage("items", path)
    for part in (str(path), "column title is missing", "column price is struct", "column updated_at is bool"):
        assert part in str(refused.value)


def test_a_truncated_parquet_file_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "items.parquet", **{name: [value] * 100 for name, value in ITEM.items()})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput, match=r"items\.parquet: unreadable after row 0"):
        stage("items", path)


def test_parquet_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    table = pa.table({name: [f"{value}" for _ in range(1000)] for name, value in ITEM.items()})
    pq.write_table(table, path, row_group_size=500, use_dictionary=False)
    raw = bytearray(path.read_bytes())
    raw[20:400] = b"\xff" * 380
    path.write_bytes(bytes(raw))
    with pytest.raises(BadInput, match=r"items\.parquet: unreadable"):
        stage("items", path)


def test_gzip_is_read_and_a_truncated_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(EVENT).encode() + b"\n"))
    assert [row["event_id"] for row in stage("events", path)[1]] == ["e1"]
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BadInput, match=r"rows\.jsonl\.gz: damaged or truncated"):
        stage("events", path)


def test_a_json_array_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="one object a line"):
        stage("events", json_lines(tmp_path / "rows.json", b"[", EVENT, b"]"))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "rows.csv").write_text("event_id,ts\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "_SUCCESS").touch()
    for name, reason in (
        ("empty.jsonl", "0 bytes"),
        ("rows.csv", "its format"),
        ("folder", "file below this folder"),
        ("absent.parquet", "no such file"),
    ):
        with pytest.raises(BadInput, match=f"{name}: .*{reason}"):
            find_files("events", str(tmp_path / name))


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path: Path) -> None:
    for name in ("day=2/b.jsonl", "day=1/c.jsonl.gz", "_temporary/x.jsonl", "a.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = [Path(file.path.path).relative_to(tmp_path) for file in find_files("events", f"file:{tmp_path}")]
    assert list(map(str, found)) == ["a.parquet", "day=1/c.jsonl.gz", "day=2/b.jsonl"]
