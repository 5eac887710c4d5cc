"""What every task really runs: each is rendered, and executed with programs that only write down their call.

`python -m tests.dags.rendered_commands` writes the committed list, commands.txt, anew.
"""

import os
import shlex
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from tests import airflow_sandbox

COMMANDS = Path(__file__).with_name("commands.txt")
RUN_ID = "manual__2011-11-20T02:00:00+00:00"
# Without PACE_ variables the settings are the defaults; PACE_NIGHT__LAKE and the like must not leak in.
RECORDER = """#!/bin/sh
{ echo "cd $PWD"; env | grep -E '^(PACE_|PYSPARK_)' | sort; } > "$CALLS.env"
printf '%s\\n' "$(basename "$0")" "$@" > "$CALLS.words"
"""
FORM = {
    "date": "2011-11-20",
    "sample_queries": 501,
    "train_days": 21,
    "epochs": 2,
    "distil_epochs": 3,
    "student_layers": 4,
    "promote": True,
    "what": "generation",
}


def rendered_commands() -> str:
    """The call of each task of each DAG, with the project's home as $HOME_OF_PROJECT."""
    with tempfile.TemporaryDirectory() as folder, recorders(Path(folder)) as calls:
        from airflow.dag_processing.dagbag import DagBag

        bag = DagBag(dag_folder=str(airflow_sandbox.PROJECT / "dags"))
        text = "\n".join(
            f"{task.dag_id}.{task.task_id}\n{call_of(task, calls)}"
            for dag in sorted(bag.dags.values(), key=lambda dag: dag.dag_id)
            for task in dag.topological_sort()
        )
    return text.replace(folder, "$HOME_OF_PROJECT")


@contextmanager
def recorders(folder: Path) -> Iterator[Path]:
    """`spark-submit` and the jobs' Python are scripts; they write to the yielded path with .env and .words added."""
    (folder / "bin").mkdir()
    for program in ("spark-submit", "python"):
        script = folder / "bin" / program
        script.write_text(RECORDER)
        script.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PACE_", "PYSPARK_"))}
    changed = {
        "CALLS": str(folder / "calls"),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW_VAR_PACESETTER_HOME": str(folder),
        "AIRFLOW_VAR_PACESETTER_PYTHON": str(folder / "bin" / "python"),
    }
    with mock.patch.dict(os.environ, {**kept, **changed}, clear=True):
        yield folder / "calls"


def call_of(task: Any, calls: Path) -> str:
    """Renders and executes `task`. Of a task that starts no program, its fields."""
    if task.is_mapped:
        given = task.partial_kwargs
        return "".join(f"{field} {given[field]}\n" for field in task.template_fields if field in given)
    context = literal_context(task)
    task.render_template_fields(context)
    if task.task_type in ("ListObjectives", "SloMails", "Retrain", "EmptyOperator"):
        return "".join(f"{field} {getattr(task, field)}\n" for field in task.template_fields)
    task.execute(context)
    words = calls.with_suffix(".words").read_text().splitlines()
    return calls.with_suffix(".env").read_text() + shlex.join(words) + "\n"


def literal_context(task: Any) -> Mapping[str, Any]:
    """What a run of the day 2011-11-20, triggered by hand, gives to its templates."""
    return {
        "dag": task.dag,
        "task": task,
        "run_id": RUN_ID,
        "params": FORM,
        "triggering_asset_events": {},
        "outlet_events": defaultdict(SimpleNamespace),
    }


if __name__ == "__main__":
    COMMANDS.write_text(rendered_commands())
