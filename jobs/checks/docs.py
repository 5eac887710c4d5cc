"""Data Docs: a Great Expectations context whose results and pages lie in one folder, readable with no network."""

from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import great_expectations as gx
from great_expectations.core import ExpectationSuite, ExpectationSuiteValidationResult, RunIdentifier
from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.types.base import DataContextConfig
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.render.view import DefaultJinjaIndexPageView, DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader, pass_context

TEMPLATES = Path(__file__).parent / "site"
# Named here, not derived: Great Expectations loads views by their names.
_VIEWS = "jobs.checks.docs"


class _Offline:
    """Our templates replace those that load scripts and styles from the web, and plain text stays text.

    Great Expectations 1.24 writes sample values into its tables as they are: an event's type or an item's id
    could bring a script into the page.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.env.loader = ChoiceLoader([FileSystemLoader(TEMPLATES), self.env.loader])

    @pass_context
    def render_content_block(self, jinja_context: Any, content_block: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(content_block, list):
            content_block = [escape(each) if isinstance(each, str) else each for each in content_block]
        elif isinstance(content_block, str):
            content_block = escape(content_block)
        return super().render_content_block(jinja_context, content_block, *args, **kwargs)


class OfflinePage(_Offline, DefaultJinjaPageView):
    """A page of a suite or of a result."""


class OfflineIndex(_Offline, DefaultJinjaIndexPageView):
    """The front page."""


class DataDocs:
    """The site under `folder`: index.html, a page a suite and a page a run; `folder`/results holds them as JSON."""

    def __init__(self, folder: Path, kept_runs: int) -> None:
        self.index = folder / "index.html"
        self._kept_runs = kept_runs
        self.context = _context(folder)

    def describe(self, suite: ExpectationSuite) -> ExpectationSuite:
        """Give `suite` its page."""
        return self.context.suites.add(suite)

    def keep(self, result: ExpectationSuiteValidationResult, table: str, night: str, at: datetime) -> None:
        """Store one result under the day it was run for; the oldest beyond `kept_runs` of its suite go."""
        run = RunIdentifier(run_name=night, run_time=at)
        result.meta["run_id"] = run
        result.meta["validation_time"] = at
        result.meta["batch_spec"] = {"data_asset_name": f"table {table}"}
        store = self.context.validation_results_store
        suite = ExpectationSuiteIdentifier(name=result.suite_name)
        store.set(ValidationResultIdentifier(suite, run, batch_identifier=result.suite_name), result)
        kept = [key for key in store.list_keys() if key.expectation_suite_identifier == suite]
        for key in sorted(kept, key=lambda key: key.run_id.run_time)[: -self._kept_runs]:
            store.remove_key(key)

    def build(self) -> None:
        """Write every page anew; pages of results that are gone go too."""
        self.context.build_data_docs()


def _context(folder: Path) -> EphemeralDataContext:
    def files(base: Path) -> dict[str, Any]:
        return {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(base.absolute()),
            "suppress_store_backend_id": True,
        }

    def page(view: str) -> dict[str, Any]:
        return {"view": {"module_name": _VIEWS, "class_name": view}}

    memory = {"class_name": "InMemoryStoreBackend"}
    config = DataContextConfig(
        expectations_store_name="suites",
        validation_results_store_name="results",
        checkpoint_store_name="checkpoints",
        stores={
            "suites": {"class_name": "ExpectationsStore", "store_backend": memory},
            "results": {"class_name": "ValidationResultsStore", "store_backend": files(folder / "results")},
            "checkpoints": {"class_name": "CheckpointStore", "store_backend": memory},
            "validation_definition_store": {"class_name": "ValidationDefinitionStore", "store_backend": memory},
        },
        data_docs_sites={
            "pacesetter": {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": files(folder),
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", **page("OfflineIndex")},
                "site_section_builders": {
                    "expectations": page("OfflinePage"),
                    "validations": page("OfflinePage"),
                    "profiling": "None",
                },
            }
        },
        analytics_enabled=False,
        progress_bars={"globally": False},
    )
    return gx.get_context(mode="ephemeral", project_config=config)
