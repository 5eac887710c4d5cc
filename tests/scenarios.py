"""The sample's scenario, and others that differ from it in a field."""

from pathlib import Path
from typing import Any

from contract.scenario import Scenario, TextTemplate, read_scenario

SAMPLE = read_scenario(Path(__file__).parents[1] / "ops" / "scenario.yaml")


def scenario(**changes: Any) -> Scenario:
    """The sample's with some of its fields, as they would stand in the file; a section is merged."""
    given = SAMPLE.model_dump()
    for name, value in changes.items():
        given[name] = {**given[name], **value} if isinstance(value, dict) else value
    return Scenario.model_validate(given)


def template(*item: Any, **query: Any) -> TextTemplate:
    """The sample's with other parts of an item, or with other fields of the query's."""
    given = SAMPLE.text.model_dump()
    return TextTemplate.model_validate({"item": item or given["item"], "query": {**given["query"], **query}})
