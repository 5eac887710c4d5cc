"""The alerts that fire, as Prometheus says."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from pacesetter_airflow.objectives.prometheus import Prometheus, Refused, Sample

# One that is up answers within milliseconds, and whoever opens the page waits for one that is not.
PATIENCE_SECONDS = 1.0
WATCHDOG = "Watchdog"
_LABELS = ("alertname", "severity", "instance", "job")


@dataclass(frozen=True)
class Alert:
    name: str
    severity: str
    of: str
    since: datetime


def firing(url: str) -> list[Alert]:
    """All but the watchdog, pages first, the oldest first. Raises NoAnswer; Refused also where the watchdog does not
    fire: without it no rule is evaluated, and silence says nothing."""
    prometheus = Prometheus(url, PATIENCE_SECONDS)
    # The value of ALERTS_FOR_STATE is when an alert began.
    query = 'ALERTS_FOR_STATE and ignoring(alertstate) ALERTS{alertstate="firing"}'
    samples, warnings = prometheus.ask(query, time.time())
    if warnings:
        raise Refused(f"{url}: partial data: {'; '.join(warnings)}")
    names = {sample.labels.get("alertname") for sample in samples}
    if WATCHDOG not in names:
        raise Refused(f"{url}: the alert {WATCHDOG} does not fire: the rules of ops/rules are not evaluated there")
    found = {_alert(sample) for sample in samples if sample.labels.get("alertname") != WATCHDOG}
    return sorted(found, key=lambda alert: (alert.severity != "page", alert.since, alert.name, alert.of))


def _alert(sample: Sample) -> Alert:
    name, severity, instance, job = (sample.labels.get(label, "") for label in _LABELS)
    return Alert(name, severity, " ".join(filter(None, (job, instance))), datetime.fromtimestamp(sample.value, UTC))
