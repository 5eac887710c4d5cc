"""PromQL that panels have in common, over the last five minutes."""

from collections.abc import Sequence

WINDOW = "5m"


def per_second(series: str, by: str = "") -> str:
    """How fast counters grow, summed, or for each value of the labels `by`."""
    return f"sum {f'by ({by}) ' if by else ''}(rate({series}[{WINDOW}]))".replace("sum (", "sum(")


def or_zero(expression: str) -> str:
    """Of what never happened there is no series: it is 0."""
    return f"({expression} or vector(0))"


def share(part: str, whole: str) -> str:
    """Of counters."""
    return f"{or_zero(per_second(part))} / {per_second(whole)}"


def quantile(q: float, buckets: str, by: str = "") -> str:
    return f"histogram_quantile({q:g}, {per_second(buckets, f'le, {by}' if by else 'le')})"


def stage(*names: str, part: str = "sum") -> str:
    """The series of some stages of a request: `sum`, `count` or `bucket`."""
    return f'rec_stage_duration_seconds_{part}{{stage=~"{"|".join(names)}"}}'


def mean_seconds(names: Sequence[str]) -> str:
    """Seconds a request spends in these stages. Each is observed once an answer, so that means add up."""
    return f"{per_second(stage(*names))} / {per_second(stage('total', part='count'))}"
