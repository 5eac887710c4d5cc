"""Instants of a night: a night for day D knows what happened before the end of D, in UTC."""

from datetime import UTC, date, datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F


def start_of(day: str) -> datetime:
    """The first instant of `day` (YYYY-MM-DD), UTC."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)


def end_of(day: str) -> datetime:
    """The first instant after `day` (YYYY-MM-DD), UTC."""
    return start_of(day) + timedelta(days=1)


def age_days(ts: Column, at: datetime) -> Column:
    """Days from `ts` to `at`, as a double."""
    return (F.lit(at.timestamp()) - F.unix_micros(ts) / F.lit(1e6)) / F.lit(86_400.0)


def newer_than(ts: Column, days: float, at: datetime) -> Column:
    """Whether `ts` lies within the last `days` days before `at`."""
    return ts >= F.lit(at - timedelta(days=days))
