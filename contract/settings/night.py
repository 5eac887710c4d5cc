"""Sections of the night's data: what comes in, its candidates, its checks."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from contract.settings.section import Positive, Section


class Source(Section):
    adapter: str = Field("online_retail", description="Built-in adapter of the night's import; empty: none")
    events: str = Field("", description="Parquet or JSON lines of events to import each night; empty: none")
    items: str = Field("", description="Parquet or JSON lines of items to import each night; empty: none")
    max_bad_share: float = Field(
        0.5, ge=0, le=1, description="A file with a larger share of bad rows is refused as a whole"
    )


class Night(Section):
    lake: str = Field("var/lake", description="Path or URL of the lake (file:, s3a:, hdfs:, ...)")
    models: str = Field("var/models", description="Directory of model artifacts")
    reports: str = Field("var/reports", description="Where a failed job leaves its reason for the failure mail")
    data_docs: str = Field("var/data_docs", description="Directory of the Great Expectations site")
    scenario: str = Field(
        "ops/scenario.yaml", description="What the dataset's events mean and what the model reads, edited by people"
    )
    date: str = Field(
        "latest", description="Day the night is run for: YYYY-MM-DD, or latest (last day of events, impressions apart)"
    )
    history_length: int = Field(50, ge=1, description="Items kept of a user's history")
    spark_texts: int = Field(
        100_000, ge=1, description="New texts from which encode_items reads them on Spark instead of in its own process"
    )
    seed: int = Field(17, description="Seed of every random choice")


class Slates(Section):
    days: int = Field(7, ge=1, description="Last days of the night whose slates the through-rates are of")
    attribution_hours: Positive = Field(
        24.0, description="How long after a slate a click or a purchase counts for it; slates younger than that do not"
    )

    @model_validator(mode="after")
    def _some_slates(self) -> Self:
        if self.attribution_hours >= 24 * self.days:
            raise ValueError("attribution_hours leave no slate of so many days: lower them, or raise days")
        return self


class Candidates(Section):
    list_length: int = Field(200, ge=1, description="Entries of a merged list")
    quotas: dict[str, float] = Field(
        default_factory=dict,
        description='What a source\'s scores count for in the merge, JSON: {"als": 0.5}; its own weight where unnamed',
    )
    half_life_days: Positive = Field(90.0, description="Age at which a co-visit counts half")
    window_days: int = Field(30, ge=1, description="Window of the popular lists")
    als_rank: int = Field(32, ge=1, description="Factors of implicit ALS")
    als_iterations: int = Field(6, ge=1, description="Sweeps of implicit ALS")


class Checks(Section):
    window_days: int = Field(90, ge=0, description="Days of events whose rows are validated each night; 0: every day")
    oldest_event: date = Field(date(2000, 1, 1), description="An event before this day is taken for misdated")
    day_events_min: int = Field(1, ge=0, description="Least events of the night's day")
    day_events_share_min: float = Field(
        0.05, ge=0, description="Least events of the day, as a share of the median day of the four weeks before"
    )
    anonymous_share_max: float = Field(0.9, ge=0, le=1, description="Largest share of a day's events without a user")
    rating_min: float = Field(0.0, description="Lowest value of a rating")
    rating_max: float = Field(5.0, description="Highest value of a rating")
    items_min: int = Field(1, ge=1, description="Least items of the catalogue")
    quarantine_share_max: float = Field(
        0.05, ge=0, le=1, description="Largest share of a table's rows that imports of the last day set aside"
    )
    coverage_min: float = Field(0.5, ge=0, le=1, description="Least share of known users with a candidate list")
    kept_runs: int = Field(30, ge=1, description="Runs of a suite that Data Docs keep")
