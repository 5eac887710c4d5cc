"""The objectives of ops/slo.yaml: read and checked, asked of Prometheus, judged. No data is UNKNOWN, never OK."""

from contract.slo.alert_names import alert_names
from contract.slo.burn import burn_rate, error_budget, remaining_budget, spent_share, target_share, threshold
from contract.slo.duration import duration_text
from contract.slo.promql import error_ratio, event_count, value_query
from contract.slo.reading import read_slo
from contract.slo.schema import BoundObjective, BurnRate, EventObjective, Objective, Slo
from contract.slo.verdict import Judgement, Verdict, bound_text, judge

__all__ = [
    "BoundObjective",
    "BurnRate",
    "EventObjective",
    "Judgement",
    "Objective",
    "Slo",
    "Verdict",
    "alert_names",
    "bound_text",
    "burn_rate",
    "duration_text",
    "error_budget",
    "error_ratio",
    "event_count",
    "judge",
    "read_slo",
    "remaining_budget",
    "spent_share",
    "target_share",
    "threshold",
    "value_query",
]
