"""Operators that run one verb of `python -m jobs`: the verb is a string, so that parsing a DAG imports no job."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from contract.reports import run_link
from contract.settings import Settings
from pacesetter_airflow.home import job_python, project_home, project_settings
from pacesetter_airflow.links import RegistryRun
from pacesetter_airflow.night import NIGHT_DATE
from pacesetter_airflow.reports import is_final, read_report, report_path


class Job(BaseOperator):
    """A verb run in the project's home, with a report; a refusal that stays so fails the task without a retry."""

    # Both are set by the factories below, and `report` is rendered.
    home: str
    report: str
    night_date: str

    def execute(self, context: Any) -> None:
        """Raises AirflowFailException with the report for a final refusal, AirflowException for what may pass."""
        report = Path(self.report)
        for left in (report, run_link(report)):
            left.unlink(missing_ok=True)  # of the attempt before
        try:
            with contextlib.chdir(self.home):  # relative settings such as var/lake, and `.env`, start there
                super().execute(context)
        except AirflowException as error:
            reason = read_report(report)
            if is_final(reason):
                raise AirflowFailException(reason) from error
            raise
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {"date": self.night_date}


class Command(BaseOperator):
    """A command as a list of arguments: no shell, so a value from the trigger form stays one argument."""

    template_fields: Sequence[str] = ("command", "env")

    def __init__(self, *, command: list[str], env: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.command = command
        self.env = env
        self._process = SubprocessHook()

    def execute(self, context: Any) -> None:
        result = self._process.run_command(self.command, env={**os.environ, **self.env}, cwd=os.getcwd())
        if result.exit_code:
            raise AirflowException(f"{' '.join(self.command)}: exit status {result.exit_code}; {result.output}")

    def on_kill(self) -> None:
        self._process.send_sigterm()


class PythonJob(Job, Command):
    """`python -m jobs VERB ...`"""

    template_fields = (*Command.template_fields, "report", "night_date")

    def __init__(self, *, home: str, report: str, night_date: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.home, self.report, self.night_date = home, report, night_date


class ModelJob(PythonJob):
    """A PythonJob about one model; its page leads to the model's run in the registry."""

    operator_extra_links = (RegistryRun(),)


class SparkJob(Job, SparkSubmitOperator):
    """`spark-submit ... jobs/__main__.py VERB ...` to the cluster of the connection `spark_default`."""

    template_fields = (*SparkSubmitOperator.template_fields, "report", "night_date")

    def __init__(self, *, home: str, report: str, night_date: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.home, self.report, self.night_date = home, report, night_date


def python_job(
    verb: str,
    *args: str,
    env: Mapping[str, str] | None = None,
    kind: type[PythonJob] = PythonJob,
    dated: bool = True,
    **task: Any,
) -> PythonJob:
    """A task that runs `verb` in its own Python process. `env` are settings for this run, e.g. from params.

    Without `dated` it is given no --date, and its DAG needs none. `task` goes to the operator: task_id (default: the
    verb), doc_md (what to do when it fails), ...
    """
    task = {"task_id": verb, **task}
    common = _common() | ({} if dated else {"night_date": ""})
    command = [job_python(), "-m", "jobs", *_arguments(verb, args, common["report"], dated)]
    return kind(command=command, env=dict(env or {}), **common, **task)


def model_job(verb: str, *args: str, **options: Any) -> PythonJob:
    """As `python_job`, for a verb that records the model's run in the registry."""
    return python_job(verb, *args, kind=ModelJob, **options)


def spark_job(verb: str, *args: str, env: Mapping[str, str] | None = None, **task: Any) -> SparkJob:
    """A task that gives `verb` to spark-submit. The cluster is the connection `spark_default`.

    `env` reaches the driver; a standalone cluster in deploy mode `cluster` has no way to pass it and refuses.
    """
    task = {"task_id": verb, **task}
    common = _common()
    return SparkJob(
        application=str(project_home() / "jobs" / "__main__.py"),
        application_args=_arguments(verb, args, common["report"]),
        name="{{ dag.dag_id }}.{{ task.task_id }}",
        conf=_spark_conf(project_settings()),
        env_vars=dict(env or {}),
        **common,
        **task,
    )


def _common() -> dict[str, str]:
    report = report_path(project_settings(), "{{ dag.dag_id }}", "{{ run_id }}", "{{ task.task_id }}")
    return {"home": str(project_home()), "report": str(report), "night_date": NIGHT_DATE}


def _arguments(verb: str, args: Sequence[str], report: str, dated: bool = True) -> list[str]:
    return [verb, *(("--date", NIGHT_DATE) if dated else ()), *args, "--report", report]


def _spark_conf(settings: Settings) -> dict[str, str]:
    log4j = project_home().absolute() / "jobs" / "log4j2.properties"
    return {
        # Spark's default is 1g, and local[*] has no other memory than the driver's.
        "spark.driver.memory": settings.airflow.spark_driver_memory,
        # Else spark-submit takes the first python3 on PATH, without our packages.
        "spark.pyspark.driver.python": job_python(),
        # Spark's own INFO lines, hundreds a task, bury what the job says. `default`: what spark-defaults.conf
        # has as spark.driver.extraJavaOptions comes after it and stays.
        "spark.driver.defaultJavaOptions": (
            f"-Dlog4j2.configurationFile={log4j.as_uri()} {settings.airflow.spark_java_options}"
        ).strip(),
        # A port per application, and nobody looks at it after the application ended.
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
