"""The rules of Prometheus: a group an objective, then the stages and the platform; alerts follow what they read."""

from contract.slo import Slo, duration_text
from ops.generate.alerts import objective_alerts
from ops.generate.plain_yaml import plain_yaml
from ops.generate.platform_alerts import platform_alerts
from ops.generate.recorded import recorded
from ops.generate.stages import stage_rules


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
    stages = {"name": "stages", "interval": every, "rules": stage_rules(slo)}
    platform = {"name": "platform", "interval": every, "rules": platform_alerts(slo)}
    return plain_yaml({"groups": [*groups, stages, platform]})
