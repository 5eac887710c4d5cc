"""Are the objectives held, how much of each budget is left, and how fast does it go?"""

from contract.slo import EventObjective, Objective, Slo, duration_text
from contract.slo.verdict import bound_of
from ops.generate.conventions import VALUE, error_ratio_series
from ops.generate.dashboards.panels import Panel, dashboard, graph, lamp

_NAME = "{{sloth_slo}}"


def objectives_dashboard(slo: Slo) -> str:
    """The text of ops/grafana/dashboards/objectives.json."""
    shortest = min(rate.short for rate in slo.burn_rates)
    return dashboard(
        "pacesetter-objectives",
        "Pacesetter: objectives",
        "The promises of ops/slo.yaml.",
        {
            f"Now, over {duration_text(slo.judged)}": [_state(objective) for objective in slo.objectives],
            "Error budgets": [
                graph(
                    "Budget that is left",
                    "percentunit",
                    "max by (sloth_slo) (slo:period_error_budget_remaining:ratio)",
                    _NAME,
                    "Of the whole window. Below 0 the objective is missed: change nothing that can wait.",
                    least=None,
                ),
                graph(
                    "Burn rate",
                    "none",
                    {
                        _NAME: "max by (sloth_slo) (slo:current_burn_rate:ratio)",
                        **{f"{rate.severity}: {rate.factor:g}": f"vector({rate.factor:g})" for rate in slo.burn_rates},
                    },
                    why="1 spends the budget exactly by the end of its window.",
                ),
                graph(
                    f"Bad events over {duration_text(shortest)}",
                    "percentunit",
                    f"max by (sloth_slo) ({error_ratio_series(shortest)})",
                    _NAME,
                ),
            ],
            "Alerts": [
                graph(
                    "Firing",
                    "none",
                    'count by (alertname) (ALERTS{alertstate="firing",alertname!="Watchdog"}) or vector(0)',
                    "{{alertname}}",
                    "Each has a page in docs/runbook.",
                ),
                graph("Targets that answer", "none", 'sum by (job) (up{job=~"gateway|ranker"})', "{{job}}"),
                graph(
                    "Watchdog",
                    "none",
                    'count(ALERTS{alertname="Watchdog",alertstate="firing"}) or vector(0)',
                    "firing",
                    "At 0 no rule is evaluated, and no other alert would fire either.",
                ),
            ],
        },
    )


def _state(objective: Objective) -> Panel:
    bound, at_most = bound_of(objective)
    unit = "percentunit" if isinstance(objective, EventObjective) else objective.unit or "none"
    return lamp(
        objective.name,
        unit,
        f'max({VALUE}{{sloth_slo="{objective.name}"}})',
        red_above=bound if at_most else None,
        red_below=None if at_most else bound,
        why=objective.description,
    )
