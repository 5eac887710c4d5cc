"""The night's order, and what the demo says when a task fails, against a stand-in for Airflow's API."""

from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ops.embedded import night as night_module
from ops.embedded.airflow_api import Run, Task, seconds_between
from ops.embedded.night import NIGHT_DAGS, STANDING_DAGS, Night, NightFailed
from ops.embedded.screen import NightScreen, slate_panel, timing_text

TIMING_MS = {
    "parse": 0.1, "candidates": 0.9, "rules": 0.0, "transfer": 0.2, "queue": 0.0, "features": 0.05, "encode": 0.4,
    "score": 1.5, "serialize": 0.05, "model": 1.9, "system": 1.3, "total": 3.2,
}  # fmt: skip
LAST = {"features_daily": "last", "candidates_daily": "candidates", "reranker_weekly": "promote"}


class FakeAirflow:
    """Runs end at once, as `fails` says; features_daily starts candidates_daily as its asset does."""

    def __init__(self, fails: str = "", parsed: bool = True) -> None:
        self.fails = fails
        self.parsed = parsed
        self.done: list[str] = []
        self.existing: dict[str, list[Run]] = {}

    def dag_ids(self) -> set[str]:
        return {*NIGHT_DAGS, *STANDING_DAGS} if self.parsed else set()

    def import_errors(self) -> list[str]:
        return [] if self.parsed else ["dags/features_daily.py: SyntaxError"]

    def unpause(self, dag: str) -> None:
        self.done.append(f"unpause {dag}")

    def trigger(self, dag: str) -> Run:
        self.done.append(f"trigger {dag}")
        if dag == "features_daily":
            self.existing.setdefault("candidates_daily", []).insert(0, Run("candidates_daily", "asset__2", "queued"))
        return Run(dag, "manual__1", "queued")

    def runs(self, dag: str) -> list[Run]:
        return self.existing.get(dag, [])

    def run(self, dag: str, run_id: str) -> Run:
        return Run(dag, run_id, "failed" if dag == self.fails else "success")

    def fail(self, run: Run) -> None:
        self.done.append(f"fail {run.dag} {run.id}")

    def task_order(self, dag: str) -> list[str]:
        return ["first", LAST[dag]]

    def tasks(self, run: Run, now: datetime) -> list[Task]:
        state = "failed" if run.dag == self.fails else "success"
        return [Task(run.dag, LAST[run.dag], state, 2.0, 1), Task(run.dag, "first", "success", 1.0, 1)]

    def log(self, run: Run, task: Task) -> str:
        return f"log of {run.id} {task.id}"


def test_the_night_runs_in_order_and_the_asset_starts_the_candidates(tmp_path: Path) -> None:
    airflow = FakeAirflow()
    tasks = Night(airflow, tmp_path, lambda tasks: None).run()
    assert airflow.done == [
        "unpause candidates_daily",
        "unpause features_daily",
        "trigger features_daily",
        "unpause reranker_weekly",
        "trigger reranker_weekly",
    ]
    assert [(task.dag, task.id) for task in tasks] == [(dag, task) for dag in LAST for task in ("first", LAST[dag])]


def test_training_runs_beside_the_candidates_and_both_are_awaited(tmp_path: Path) -> None:
    airflow = FakeAirflow()
    looks = iter(["running", "running"])
    told = airflow.run
    airflow.run = lambda dag, run_id: (  # type: ignore[method-assign]
        Run(dag, run_id, next(looks, "success")) if dag == "candidates_daily" else told(dag, run_id)
    )
    tasks = Night(airflow, tmp_path, lambda tasks: None).run()
    assert next(looks, None) is None  # the re-ranker had ended, the candidates were waited for
    assert len(tasks) == len(set(tasks)) == 6


def test_a_run_that_an_earlier_demo_left_open_is_ended_first(tmp_path: Path) -> None:
    airflow = FakeAirflow()
    airflow.existing = {
        "features_daily": [Run("features_daily", "old", "running")],
        "reranker_weekly": [Run("reranker_weekly", "older", "success")],
    }
    Night(airflow, tmp_path, lambda tasks: None).run()
    assert airflow.done[0] == "fail features_daily old"
    assert "fail reranker_weekly older" not in airflow.done


def test_a_failed_task_is_named_with_its_reason_and_its_log(tmp_path: Path) -> None:
    report = tmp_path / "candidates_daily" / "asset__2" / "candidates.txt"
    report.parent.mkdir(parents=True)
    report.write_text("ValidationFailed: 3 lists are empty\n")
    with pytest.raises(NightFailed) as failed:
        Night(FakeAirflow(fails="candidates_daily"), tmp_path, lambda tasks: None).run()
    assert "candidates_daily.candidates failed: ValidationFailed: 3 lists are empty" in str(failed.value)
    assert "log of asset__2 candidates" in str(failed.value)


def test_candidates_that_no_asset_starts_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = FakeAirflow()
    airflow.trigger = lambda dag: Run(dag, "manual__1", "queued")  # type: ignore[method-assign]
    monkeypatch.setattr(night_module, "ASSET_SECONDS", 0.0)
    with pytest.raises(NightFailed, match="candidates_daily was not started by its asset"):
        Night(airflow, tmp_path, lambda tasks: None).run()


def test_dags_that_cannot_be_imported_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(NightFailed, match=r"features_daily\.py: SyntaxError"):
        Night(FakeAirflow(parsed=False), tmp_path, lambda tasks: None).run()


def test_without_a_terminal_each_task_is_told_once_when_it_ends() -> None:
    out = StringIO()
    with NightScreen(Console(file=out, width=120)) as screen:
        screen.show([Task("features_daily", "features", "running", 3.0, 1)])
        for _ in range(2):
            screen.show([Task("features_daily", "features", "success", 4.0, 1)])
    assert out.getvalue().count("features_daily.features") == 1
    assert "success after 4.0 s" in out.getvalue()


def test_titles_from_outside_are_never_markup() -> None:
    out = StringIO()
    answer = {
        "items": [{"rank": 1, "item_id": "i[/]1", "title": "[red]JAM[/] [link", "score": 0.5, "source": "als"}],
        "level": "precomputed",
        "degraded": "ranker_unavailable",
        "generation": 1,
        "model_version": None,
        "timing_ms": TIMING_MS,
    }
    Console(file=out, width=120).print(slate_panel(answer, "user [x]"))
    for text in ("[red]JAM[/] [link", "i[/]1", "user [x]", "precomputed", "ranker_unavailable", "ms 3.2 = "):
        assert text in out.getvalue()


def test_what_an_answer_took_is_told_with_its_longest_stages() -> None:
    told = timing_text(TIMING_MS).plain
    assert told == "3.2 = model 1.9 + system 1.3   longest: score 1.5  candidates 0.9  encode 0.4"


def test_a_task_runs_until_now_or_to_its_end() -> None:
    now = datetime.fromisoformat("2026-01-01T00:00:10+00:00")
    assert seconds_between(None, None, now) is None
    assert seconds_between("2026-01-01T00:00:04Z", None, now) == 6
    assert seconds_between("2026-01-01T00:00:04Z", "2026-01-01T00:00:05Z", now) == 1
