"""The night imports what the settings name."""

import json
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from contract.errors import BadInput
from contract.settings import Settings, Source
from jobs.events import night
from jobs.lake import Lake


def run(lake: Lake, **source: str) -> None:
    settings = Settings(_env_file=None, source=Source(**{"adapter": "", **source}))  # type: ignore[call-arg]
    night.main(night.arg_parser(settings).parse_args(["--lake", lake.root]), settings)


def test_the_adapter_runs_and_then_the_files(
    spark: SparkSession, lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sample_adapter.py").write_text("def run(lake, now, share):\n    return ['sample: done']\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(night.ADAPTERS, "sample", "sample_adapter")
    item = {"item_id": "a", "title": "A", "updated_at": "2024-05-01"}
    event = {"event_id": "e", "ts": "2024-05-02T00:00:00Z", "type": "view", "item_id": "a"}
    for name, row in (("items", item), ("events", event)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    run(lake, adapter="sample", items=str(tmp_path / "items.jsonl"), events=str(tmp_path / "events.jsonl"))
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "sample: done"
    assert [line.split(".jsonl: ")[1] for line in told[1:]] == ["1 rows, 1 new, 0 known, 0 set aside"] * 2
    run(lake)
    assert "the lake stays as it is" in capsys.readouterr().out


def test_a_night_without_source_and_events_says_what_to_set(lake: Lake) -> None:
    with pytest.raises(BadInput, match="PACE_SOURCE__ADAPTER"):
        run(lake)


def test_an_unknown_adapter_names_the_known(lake: Lake) -> None:
    with pytest.raises(BadInput, match="'shop': known are online_retail"):
        run(lake, adapter="shop")


def test_every_adapter_is_there() -> None:
    for module in night.ADAPTERS.values():
        assert callable(__import__(module, fromlist=["run"]).run)
