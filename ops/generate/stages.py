"""Recording rules of where the time of a request goes: each stage's mean and share, and the bottleneck."""

from typing import Any

from contract.metrics import PARTS, STAGE_SECONDS, STAGES
from contract.slo import Slo, duration_text
from ops.generate.conventions import BOTTLENECK, STAGE_SHARE
from ops.generate.conventions import STAGE_SECONDS as MEAN


def stage_rules(slo: Slo) -> list[dict[str, Any]]:
    """Over the shortest window that alerts: whoever is woken finds the stage beside the alert.

    Where nobody asks for anything there is no bottleneck, rather than one that is NaN.
    """
    window = duration_text(min(rate.short for rate in slo.burn_rates))
    sums, count = _rate("sum", "|".join(STAGES), window), _rate("count", "total", window)
    return [
        {"record": MEAN, "expr": f"sum by (stage) ({sums}) / scalar(sum({count})) >= 0"},
        {"record": STAGE_SHARE, "expr": f'{MEAN}{{stage=~"{"|".join(PARTS)}"}} / scalar({MEAN}{{stage="total"}})'},
        {"record": BOTTLENECK, "expr": f"topk(1, {STAGE_SHARE})"},
    ]


def _rate(part: str, stages: str, window: str) -> str:
    return f'rate({STAGE_SECONDS.name}_{part}{{stage=~"{stages}"}}[{window}])'
