"""A verb under a real spark-submit, as a scheduler runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from jobs.java import java_home
from jobs.lake import Lake

VERBS = Path(__file__).parents[2] / "jobs" / "__main__.py"


def test_a_verb_runs_under_spark_submit(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text(json.dumps({"item_id": "a", "title": "A", "updated_at": "2024-05-01"}))
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "JAVA_HOME": java_home(tmp_path) or ""}
    submit = [tools / "spark-submit", "--master", "local[2]", VERBS, "import_events"]
    done = subprocess.run(
        [*submit, "--items", tmp_path / "items.jsonl", "--lake", lake.root],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "items.jsonl: 1 rows, 1 new, 0 known, 0 set aside" in done.stdout
    assert lake.days("items") == ["2024-05-01"]
    assert "Spark" not in done.stdout
