"""The calls of MLflow that the registry makes. Importing MLflow takes seconds, so it waits until it is needed."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contract.settings import Registry
from jobs.model.registry.facts import Facts

CHAMPION = "champion"
CHALLENGER = "challenger"
SQLITE = "sqlite:///"

# Read when mlflow is imported. It asks nobody on the network; its own retries go on for minutes.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "GIT_PYTHON_REFRESH": "quiet",
}


class ModelRegistry:
    """One experiment and one registered model. A run is found by its tag `version`: there is one for each model.

    Every method raises what MLflow raises.
    """

    def __init__(self, client: Any, options: Registry, experiment_id: str) -> None:
        self._client = client
        self._options = options
        self._experiment = experiment_id

    @staticmethod
    def open(options: Registry) -> "ModelRegistry":
        """Experiment and registered model are made where they are missing."""
        os.environ.update(ENVIRONMENT, MLFLOW_HTTP_REQUEST_TIMEOUT=str(options.timeout_seconds))
        artifacts = None
        if options.tracking_uri.startswith(SQLITE):
            folder = Path(options.tracking_uri.removeprefix(SQLITE)).absolute().parent
            folder.mkdir(parents=True, exist_ok=True)
            artifacts = (folder / "artifacts").as_uri()
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        client = MlflowClient(options.tracking_uri, options.tracking_uri)
        found = client.get_experiment_by_name(options.experiment)
        experiment_id = found.experiment_id if found else client.create_experiment(options.experiment, artifacts)
        try:
            client.get_registered_model(options.model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            client.create_registered_model(options.model)
        return ModelRegistry(client, options, experiment_id)

    def find(self, version: str) -> str | None:
        """The id of the model's run."""
        runs = self._client.search_runs([self._experiment], f"tags.version = '{version}'", max_results=1)
        return str(runs[0].info.run_id) if runs else None

    def log(self, facts: Facts, parent: str | None = None) -> str:
        """Make or complete the run of a model; its id. What is there already is not there twice."""
        from mlflow.entities import Metric, Param, RunTag

        run = self.find(facts.version)
        if run is None:
            start = int(facts.created_at * 1000)
            tags = {"version": facts.version}
            made = self._client.create_run(self._experiment, start, tags, run_name=facts.version)
            run = str(made.info.run_id)
        tags = {**facts.tags, **({"mlflow.parentRunId": parent} if parent else {})}
        self._client.log_batch(
            run,
            metrics=[Metric(one.name, one.value, int(one.at * 1000), 0) for one in facts.metrics],
            params=[Param(name, value) for name, value in facts.params.items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
        self._client.log_artifact(run, str(facts.manifest), "model")
        for file in facts.files:
            self._client.log_artifact(run, str(file), "evaluation")
        self._client.set_terminated(run, "FINISHED")
        return run

    def register(self, facts: Facts, run: str, directory: Path) -> None:
        """A model version for a student; its tags say which artifact it is, and where that lies.

        Its source is the manifest in the run, not the weights: the directory is what serves, and a server refuses
        a source on the disk of somebody else.
        """
        number = self._number(facts.version)
        if number is None:
            source = f"{self._client.get_run(run).info.artifact_uri}/model"
            tags = {"version": facts.version}
            number = self._client.create_model_version(
                self._options.model, source, run, tags=tags, description=f"artifact {directory}"
            ).version
        for name, value in facts.tags.items():
            self._client.set_model_version_tag(self._options.model, number, name, value)

    def point(self, alias: str, version: str) -> None:
        """Give `alias` to the model version of `version`; to none for an empty or an unknown one."""
        number = self._number(version) if version else None
        if number is None:
            self._client.delete_registered_model_alias(self._options.model, alias)
        else:
            self._client.set_registered_model_alias(self._options.model, alias, number)

    def version_of(self, alias: str) -> str:
        """The artifact's version that bears `alias`, or an empty string."""
        number = self._client.get_registered_model(self._options.model).aliases.get(alias)
        if number is None:
            return ""
        return str(self._client.get_model_version(self._options.model, number).tags.get("version", ""))

    def mark(self, version: str, name: str, value: str) -> None:
        """A tag on the model version, where there is one."""
        if (number := self._number(version)) is not None:
            self._client.set_model_version_tag(self._options.model, number, name, value)

    def url(self, run: str) -> str:
        """The run's page."""
        return f"{self._options.ui_url.rstrip('/')}/#/experiments/{quote(self._experiment)}/runs/{quote(run)}"

    def _number(self, version: str) -> str | None:
        found = self._client.search_model_versions(
            f"name = '{self._options.model}' and tags.version = '{version}'", max_results=1
        )
        return str(found[0].version) if found else None
