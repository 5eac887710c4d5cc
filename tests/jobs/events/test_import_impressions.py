"""Slates from a real stream into a real lake: every one once, whatever happens in between."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyspark.sql import SparkSession

from contract.errors import BadInput, StoreUnreachable
from contract.keys import Keys
from contract.schemas import EVENTS, ITEMS, QUARANTINE
from contract.store.impressions import Impression, ImpressionLog
from jobs.__main__ import main
from jobs.events import impressions, slate_rows
from jobs.events.impressions import import_impressions
from jobs.lake import Lake

NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)
MAY_9 = datetime(2024, 5, 9, 20, tzinfo=UTC).timestamp()
SLATE = Impression("r1", MAY_9 + 0.25, "ann", "s1", ("cup", "lamp"), 3, "m1", "full")


@pytest.fixture
def lake(spark: SparkSession, lake: Lake) -> Lake:
    """A lake of a catalogue, and a Spark that is running: imports take the session that they find."""
    rows = [(name, name, None, None, None, None, True, datetime(2024, 5, 1)) for name in ("cup", "lamp")]
    lake.write_day(spark.createDataFrame(rows, ITEMS), "items", "2024-05-01")
    return lake


@pytest.fixture
def stream(client: Any, keys: Keys) -> ImpressionLog:
    return ImpressionLog(client, keys, max_length=1000)


def named(name: str, *items: str) -> Impression:
    return msgspec.structs.replace(SLATE, recommendation_id=name, item_ids=items or ("cup",))


def run(lake: Lake, stream: ImpressionLog) -> str:
    return "\n".join(import_impressions(lake, stream, NOW))


def event_ids(spark: SparkSession, lake: Lake) -> list[str]:
    return sorted(row["event_id"] for row in lake.read_until(spark, "events", "9999-12-31", EVENTS).collect())


def set_aside(spark: SparkSession, lake: Lake) -> list[tuple[str, str]]:
    rows = lake.read_until(spark, "quarantine", "9999-12-31", QUARANTINE).collect()
    return sorted((row["reason"], row["raw"]) for row in rows)


def test_a_slate_becomes_a_row_an_item(spark: SparkSession, lake: Lake, stream: ImpressionLog) -> None:
    stream.append([SLATE, msgspec.structs.replace(SLATE, recommendation_id="r2", user_id=None, session_id=None)])
    told = run(lake, stream)
    assert "test:impressions: 2 slates of 4 items\n" in told
    assert "4 rows, 4 new, 0 known, 0 set aside" in told
    rows = sorted(lake.read_day(spark, "events", "2024-05-09", EVENTS).collect(), key=lambda row: row["event_id"])
    assert rows[1].asDict() == {
        "event_id": "r1-1",
        "ts": datetime(2024, 5, 9, 20, 0, 0, 250_000),
        "type": "impression",
        "user_id": "ann",
        "session_id": "s1",
        "item_id": "lamp",
        "position": 1,
        "recommendation_id": "r1",
        "value": None,
    }
    assert [(row["event_id"], row["position"], row["user_id"]) for row in rows] == [
        ("r1-0", 0, "ann"),
        ("r1-1", 1, "ann"),
        ("r2-0", 0, None),
        ("r2-1", 1, None),
    ]


def test_the_next_run_reads_on_and_an_empty_one_says_so(
    spark: SparkSession, lake: Lake, stream: ImpressionLog, client: Any, keys: Keys
) -> None:
    assert run(lake, stream) == "test:impressions: no new slate"  # a stream that was never written
    stream.append([named("r1")])
    run(lake, stream)
    assert run(lake, stream) == "test:impressions: no new slate"
    stream.append([named("r2")])
    client.xtrim(keys.impressions, maxlen=2, approximate=False)
    assert "1 slates of 1 items\nevents test:impressions" in run(lake, stream)
    assert event_ids(spark, lake) == ["r1-0", "r2-0"]


def test_a_stream_longer_than_a_batch_is_read_to_its_end(
    spark: SparkSession, lake: Lake, stream: ImpressionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slate_rows, "BATCH", 2)
    stream.append([named(f"r{number}") for number in range(4)])  # the last batch is full: one more is asked for
    run(lake, stream)
    assert event_ids(spark, lake) == ["r0-0", "r1-0", "r2-0", "r3-0"]


def test_what_is_read_twice_changes_nothing(spark: SparkSession, lake: Lake, stream: ImpressionLog) -> None:
    stream.append([named("r1"), named("r1")])  # a gateway that had no answer offers a slate again
    assert "2 rows, 1 new, 1 known, 0 set aside" in run(lake, stream)
    (Path(lake.root) / "_imports" / "impressions.json").unlink()
    stream.append([named("r2")])
    assert "3 rows, 1 new, 2 known, 0 set aside" in run(lake, stream)
    assert event_ids(spark, lake) == ["r1-0", "r2-0"]


def test_killed_before_the_position_was_kept_the_next_run_goes_on(
    spark: SparkSession, lake: Lake, stream: ImpressionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.append([named("r1")])
    with monkeypatch.context() as patch:
        patch.setattr(impressions, "write_position", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(lake, stream)
    assert "imported before, nothing to do" in run(lake, stream)
    assert run(lake, stream) == "test:impressions: no new slate"
    assert event_ids(spark, lake) == ["r1-0"]


def test_an_import_that_failed_lost_nothing(
    spark: SparkSession, lake: Lake, stream: ImpressionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.append([named("r1")])
    with monkeypatch.context() as patch:
        patch.setattr(impressions, "import_files", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(lake, stream)
    assert lake.days("events") == []
    run(lake, stream)
    assert event_ids(spark, lake) == ["r1-0"]


def test_a_damaged_entry_is_set_aside_with_its_reason_and_the_rest_goes_on(
    spark: SparkSession, lake: Lake, stream: ImpressionLog, client: Any, keys: Keys
) -> None:
    client.xadd(keys.impressions, {b"v": b"\xc1"}, id="1-0")
    client.xadd(keys.impressions, {b"w": b""}, id="2-0")
    stream.append([msgspec.structs.replace(SLATE, ts=float("nan")), named("r1"), named("r2", "rug")])
    told = run(lake, stream)
    assert "test:impressions: 2 slates of 2 items, 3 damaged entries (" in told
    assert "1 an entry without field v" in told
    assert event_ids(spark, lake) == ["r1-0"]
    found = dict(set_aside(spark, lake))
    assert found.pop("an entry without field v") == "entry 2-0"
    assert found.pop("no impression: MessagePack data is malformed: invalid opcode '\\xc1' (byte 0)") == "entry 1-0"
    assert found.pop("ts: no time").startswith("entry ")
    (unknown_item,) = found
    assert unknown_item.startswith("item_id: not in the catalogue")


def test_a_stream_of_damaged_entries_alone_is_passed(
    spark: SparkSession, lake: Lake, stream: ImpressionLog, client: Any, keys: Keys
) -> None:
    client.xadd(keys.impressions, {b"w": b""}, id="2-0")
    assert run(lake, stream) == "test:impressions: 0 slates of 0 items, 1 damaged entries (1 an entry without field v)"
    assert set_aside(spark, lake) == [("an entry without field v", "entry 2-0")]
    assert run(lake, stream) == "test:impressions: no new slate"


def test_slates_that_were_trimmed_unread_are_told(lake: Lake, stream: ImpressionLog, client: Any, keys: Keys) -> None:
    stream.append([named("r1")])
    run(lake, stream)
    stream.append([named("r2"), named("r3")])
    client.xtrim(keys.impressions, maxlen=1, approximate=False)
    assert "perhaps some behind it, unread: import more often, or raise PACE_EVENTS__STREAM_MAX_LENGTH" in run(
        lake, stream
    )


def test_a_position_that_does_not_read_says_what_to_do(lake: Lake, stream: ImpressionLog) -> None:
    (Path(lake.root) / "_imports").mkdir()
    (Path(lake.root) / "_imports" / "impressions.json").write_text("{")
    with pytest.raises(BadInput, match=r"impressions.json: damaged .* delete it"):
        run(lake, stream)


def test_the_verb_reads_where_the_settings_say_and_tells_when_nobody_is_there(
    lake: Lake, stream: ImpressionLog, valkey_url: str, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # no `.env` of anybody's
    monkeypatch.setenv("PACE_REDIS__PREFIX", "test")
    monkeypatch.setenv("PACE_EVENTS__URL", "redis://127.0.0.1:1/0")
    stream.append([named("r1")])
    command = ["import_impressions", "--lake", lake.root, "--report", "report.txt"]
    assert main(command) == 1
    report = Path("report.txt").read_text()
    assert report.startswith(f"{StoreUnreachable.__name__}: ")
    assert "nothing is lost: bring the events instance back at PACE_EVENTS__URL" in report
    assert lake.days("events") == []
    monkeypatch.setenv("PACE_EVENTS__URL", valkey_url)
    assert main(command) == 0
    assert "1 slates of 1 items" in capsys.readouterr().out
    assert lake.days("events") == ["2024-05-09"]
