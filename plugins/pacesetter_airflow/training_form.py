"""The form of *Trigger* on the re-ranker's DAG: settings that one run may have for itself."""

from typing import Any

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException

from contract.settings import Training
from pacesetter_airflow.home import project_settings

# Fields of the section `training`, all integers with a least value.
FIELDS = ("sample_queries", "train_days", "epochs", "distil_epochs", "student_layers")


def training_params() -> dict[str, Param]:
    """A field of the form for each of FIELDS; what the settings say is filled in."""
    training = project_settings().training
    return {
        name: Param(
            getattr(training, name),
            type="integer",
            minimum=_least(name),
            title=name.replace("_", " ").capitalize(),
            description=Training.model_fields[name].description,
        )
        for name in FIELDS
    }


def _least(name: str) -> int:
    """What the settings allow at least."""
    return next(int(bound.ge) for bound in Training.model_fields[name].metadata if hasattr(bound, "ge"))


def training_env() -> dict[str, str]:
    """The same fields as environment variables of a job, with what the form holds; they outrank `.env`."""
    return {f"PACE_TRAINING__{name.upper()}": f"{{{{ params.{name} }}}}" for name in FIELDS}


def promote_param() -> Param:
    return Param(True, type="boolean", title="Promote", description="Off: train and evaluate, leave the live model")


def skip_unless_wanted(context: Any) -> None:
    """`pre_execute` of the promotion: skips it where the form says no, and in a backfill of days gone by."""
    if not context["params"]["promote"]:
        raise AirflowSkipException("the form of this run says not to promote")
    if context["dag_run"].run_type == "backfill":
        raise AirflowSkipException("a backfill of days gone by does not change the live model")
