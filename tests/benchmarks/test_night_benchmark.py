"""What the night's benchmark says of its numbers."""

from argparse import Namespace
from pathlib import Path

import polars as pl
import pytest

from benchmarks.agreement import difference
from benchmarks.machine import describe
from benchmarks.measured import CommandFailed, Measured
from benchmarks.night import JOBS, Run, linearity, main, runs
from benchmarks.night_page import page, table
from contract.settings import read_settings

MACHINE = describe()


def run(job: str, engine: str, scale: int, seconds: float) -> Run:
    return Run(job, engine, scale, 1000 * scale, seconds, 1000 * scale / seconds, seconds, 2_000_000_000, 1_000_000_000)


def result(*runs: Run, **differs: str | None) -> dict[str, object]:
    return {
        "machine": MACHINE,
        "driver_memory": "2g",
        "java_options": "-XX:+UseParallelGC",
        "unfinished": [],
        "runs": [vars(one) for one in runs],
        "linear": linearity(list(runs)),
        "polars_differs": differs,
    }


def test_ten_times_the_data_may_take_eleven_times_the_time() -> None:
    found = [
        run("features", "spark", 1, 10.0),
        run("features", "spark", 10, 110.0),
        run("features", "spark", 50, 551.0),
    ]
    assert [(row["data"], row["time"], row["holds"]) for row in linearity(found)] == [
        (10, 11.0, True),
        (50, 55.1, False),
    ]


def test_polars_is_not_held_to_it() -> None:
    assert linearity([run("features", "polars", 1, 1.0), run("features", "polars", 10, 99.0)]) == []


def test_the_table_has_a_row_a_run() -> None:
    lines = table(result(run("features", "spark", 1, 8.0), run("features", "polars", 1, 2.0))).splitlines()
    assert len(lines) == 4
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        "features", "spark", "1x", "1,000", "8.0", "125", "8.0", "2,000", "1,000",
    ]  # fmt: skip


def test_the_page_names_the_crossover() -> None:
    slow, fast = run("features", "spark", 1, 8.0), run("features", "polars", 1, 2.0)
    text = page(result(slow, fast, run("features", "spark", 10, 9.0), run("features", "polars", 10, 20.0)))
    assert "1x: polars is 4.0 times as fast as Spark" in text
    assert "Spark is the faster one from 10x on." in text
    assert "Up to 1x polars is the faster one on this machine." in page(result(slow, fast))


def test_the_page_admits_a_difference() -> None:
    runs = (run("features", "spark", 1, 8.0), run("features", "polars", 1, 2.0))
    assert "equal Spark's at 1x" in page(result(*runs, user_features=None))
    assert "DIFFER from Spark's at 1x" in page(result(*runs, user_features="a row"))


def test_the_order_of_rows_is_no_difference_and_a_number_is() -> None:
    left = pl.DataFrame({"user_id": ["a", "b"], "mean_price": [1.0, 2.0]})
    assert difference(left, left.reverse(), ["user_id"]) is None
    assert difference(left, left.with_columns(mean_price=pl.Series([1.0, 2.0001])), ["user_id"])
    assert difference(left, left.head(1), ["user_id"])


def test_an_unknown_job_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--jobs", "features,nonsense"])
    assert "features,nonsense" in capsys.readouterr().err
    assert "training_pairs" in JOBS


def test_a_scale_that_a_job_did_not_reach_is_told_and_not_compared() -> None:
    found = [run("features", "spark", 1, 10.0), run("features", "spark", 10, 20.0), run("import", "spark", 10, 5.0)]
    assert [(row["job"], row["data"]) for row in linearity(found)] == [("features", 10)]
    late = {"job": "candidates", "engine": "spark", "scale": 50, "why": "stopped after 60 s"}
    text = page(result(*found) | {"unfinished": [late]})
    assert "- `candidates` (spark) at 50x: stopped after 60 s" in text


def test_what_a_failed_job_would_have_written_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(command: list[str], log: Path, *rest: object) -> Measured:
        if "features" in command:
            raise CommandFailed(command, "stopped after 60 s", log)
        return Measured(1.0, 1.0, 1, 1)

    (tmp_path / "1x").mkdir()
    (tmp_path / "1x" / "features.log").write_text("")
    monkeypatch.setattr("benchmarks.night.measure", measure)
    monkeypatch.setattr("benchmarks.night.spark_submit", lambda settings: ["spark-submit"])
    monkeypatch.setattr("benchmarks.night.python", lambda *words: ["polars"])
    monkeypatch.setattr("benchmarks.night.Lake.resolve", lambda lake, day: "2011-12-09")
    monkeypatch.setattr("benchmarks.night.environment", lambda folder: {})
    args = Namespace(folder=tmp_path, days=2, scales=[1], jobs=list(JOBS), limit=60.0)
    told = list(runs(args, read_settings()))
    assert {(one.job, one.engine): getattr(one, "why", "ran") for one in told} == {
        ("import", "spark"): "ran",
        ("features", "spark"): "stopped after 60 s",
        ("features", "polars"): "ran",
        ("candidates", "spark"): "needs features",
        ("training_pairs", "spark"): "ran",
    }
    ran = [one for one in told if isinstance(one, Run)]
    monkeypatch.setattr("benchmarks.night.measure", lambda *rest: Measured(2.0, 2.0, 2, 2))
    again = {(one.job, one.engine): one.seconds for one in runs(args, read_settings(), ran) if isinstance(one, Run)}
    assert again["import", "spark"] == again["training_pairs", "spark"] == 1.0  # kept
    assert again["features", "spark"] == again["candidates", "spark"] == 2.0  # what had not finished
