"""Prometheus rules from the objectives: each objective's value and bound, an alert on a miss, one on no data."""

from typing import Any

import yaml

from contract.slo import Objective

HEADER = "# Generated from ops/slo.yaml by `python -m ops.generate`: do not edit.\n"
RUNBOOK = "docs/runbook.md"
JOBS = ("gateway", "ranker")


def rules(objectives: list[Objective]) -> str:
    """The text of ops/rules/slo.yml."""
    groups = [
        {"name": "objectives", "interval": "30s", "rules": [rule for o in objectives for rule in _recorded(o)]},
        {"name": "objective-alerts", "rules": [rule for o in objectives for rule in (_miss(o), _unknown(o))]},
        {"name": "platform-alerts", "rules": _platform()},
    ]
    return HEADER + yaml.dump({"groups": groups}, Dumper=_PlainDumper, sort_keys=False, width=1000)


class _PlainDumper(yaml.SafeDumper):
    """Without anchors: readers of rule files do not expect them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def alert_name(objective: Objective, ending: str) -> str:
    """`recommend_p99` and `Miss` make `RecommendP99Miss`."""
    return "".join(part.capitalize() for part in objective.name.split("_")) + ending


def _recorded(objective: Objective) -> list[dict[str, Any]]:
    labels = {"objective": objective.name}
    return [
        {"record": "pace:objective:value", "labels": labels, "expr": objective.query},
        {"record": "pace:objective:bound", "labels": labels, "expr": f"vector({objective.at_most:.15g})"},
    ]


def _miss(objective: Objective) -> dict[str, Any]:
    return _alert(
        alert_name(objective, "Miss"),
        f"{_value(objective)} > {objective.at_most:.15g}",
        "5m",
        "page",
        f"Missed: {objective.description}",
        f'Measured {{{{ printf "%.6g" $value }}}} {objective.unit}, '
        f"the objective is at most {objective.at_most:g} {objective.unit}.",
        objective=objective.name,
    )


def _unknown(objective: Objective) -> dict[str, Any]:
    # A comparison with missing data is silent, and 0/0 is NaN, which no bound exceeds: neither is OK.
    return _alert(
        alert_name(objective, "Unknown"),
        f"absent({_value(objective)} == {_value(objective)})",
        "15m",
        "ticket",
        f"Unknown: {objective.description}",
        "There is no data for this objective: no request was measured, or nothing is being scraped.",
        objective=objective.name,
    )


def _value(objective: Objective) -> str:
    return f'pace:objective:value{{objective="{objective.name}"}}'


def _platform() -> list[dict[str, Any]]:
    return [
        _alert(
            "TargetDown",
            " or ".join(f'up{{job="{job}"}} == 0' for job in JOBS),
            "2m",
            "page",
            "{{ $labels.job }} at {{ $labels.instance }} does not answer Prometheus",
            "Its metrics are missing, so its objectives are not judged.",
        ),
        *(
            _alert(
                f"{job.capitalize()}Missing",
                f'absent(up{{job="{job}"}})',
                "5m",
                "page",
                f"Prometheus knows no {job}",
                "No target of that name is configured or discovered.",
            )
            for job in JOBS
        ),
        _alert(
            "RankerNotReady",
            "rec_ranker_ready == 0",
            "15m",
            "ticket",
            "The ranker serves no model",
            "Answers are in precomputed order and marked as degraded.",
        ),
        _alert(
            "Watchdog",
            "vector(1)",
            "0s",
            "none",
            "Always firing",
            "If this alert is absent from Alertmanager, alerts do not reach it.",
        ),
    ]


def _alert(
    name: str, expr: str, lasting: str, severity: str, summary: str, description: str, **labels: str
) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": lasting,
        "labels": {"severity": severity, **labels},
        "annotations": {
            "summary": summary,
            "description": description,
            "runbook": f"{RUNBOOK}#{name.lower()}",
        },
    }
