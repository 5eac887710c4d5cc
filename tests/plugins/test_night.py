"""The date that a run is for, and whether a run may promote."""

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from pacesetter_airflow.night import night_date
from pacesetter_airflow.training_form import skip_unless_wanted


def event(**extra: str) -> Any:
    return SimpleNamespace(extra=extra)


@pytest.mark.parametrize(
    ("events", "date"),
    [
        ({}, "latest"),  # triggered by hand
        ({"features": [event(date="2011-11-20")]}, "2011-11-20"),
        ({"features": [event(date="2011-11-19"), event(date="2011-11-20")]}, "2011-11-20"),  # two nights waited
        ({"features": [event()]}, "latest"),  # the asset was marked in the UI
    ],
)
def test_a_run_is_for_the_date_of_the_asset_that_set_it_off(events: dict[str, list[Any]], date: str) -> None:
    assert night_date({"date": "latest"}, events) == date


@pytest.mark.parametrize(("promote", "run_type"), [(False, "manual"), (True, "backfill")])
def test_nothing_is_promoted_unasked_or_by_a_backfill(promote: bool, run_type: str) -> None:
    with pytest.raises(AirflowSkipException):
        skip_unless_wanted({"params": {"promote": promote}, "dag_run": SimpleNamespace(run_type=run_type)})


@pytest.mark.parametrize("run_type", ["manual", "scheduled"])
def test_a_run_that_is_asked_to_promotes(run_type: str) -> None:
    skip_unless_wanted({"params": {"promote": True}, "dag_run": SimpleNamespace(run_type=run_type)})
