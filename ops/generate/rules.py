"""The rules of Prometheus: a group an objective, in which alerts follow what they read, and one for the platform."""

from contract.slo import Slo, duration_text
from ops.generate.alerts import objective_alerts
from ops.generate.plain_yaml import plain_yaml
from ops.generate.platform_alerts import platform_alerts
from ops.generate.recorded import recorded


def rules(slo: Slo) -> str:
    """The text of ops/rules/slo.yml."""
    every = duration_text(slo.evaluation)
    groups = [
        {
            "name": f"slo-{objective.name}",
            "interval": every,
            "rules": [*recorded(slo, objective), *objective_alerts(slo, objective)],
        }
        for objective in slo.objectives
    ]
    return plain_yaml({"groups": [*groups, {"name": "platform", "interval": every, "rules": platform_alerts(slo)}]})
