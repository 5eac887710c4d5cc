"""Alerts that belong to no objective: targets that do not answer, no model, and one that always fires."""

from typing import Any

from contract.slo import Slo
from ops.generate.alerts import alert


def platform_alerts(slo: Slo) -> list[dict[str, Any]]:
    """`up` is what Prometheus itself says of each target; one that it does not know has none."""
    wanted = dict(slo.targets)
    return [
        *(
            alert(
                slo,
                f"{job.capitalize()}Missing",
                f'(sum(up{{job="{job}"}}) or vector(0)) < {count}',
                slo.patience.targets_missing,
                "page",
                f"Prometheus reaches fewer than {count} {job}s" if count > 1 else f"Prometheus reaches no {job}",
                f"{{{{ $value }}}} of {count} answer. Their metrics are missing, so their objectives are not judged.",
            )
            for job, count in wanted.items()
        ),
        alert(
            slo,
            "TargetDown",
            " or ".join(f'up{{job="{job}"}} == 0' for job in wanted),
            slo.patience.target_down,
            "ticket",
            "{{ $labels.job }} at {{ $labels.instance }} does not answer Prometheus",
            "Where enough others answer, users notice nothing.",
        ),
        alert(
            slo,
            "RankerNotReady",
            "rec_ranker_ready == 0",
            slo.patience.ranker_not_ready,
            "ticket",
            "The ranker serves no model",
            "Answers are in precomputed order and marked as degraded.",
        ),
        alert(
            slo,
            "Watchdog",
            "vector(1)",
            0,
            "none",
            "Always firing",
            "If this alert is absent from Alertmanager, alerts do not reach it.",
        ),
    ]
