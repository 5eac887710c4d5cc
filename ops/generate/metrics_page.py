"""docs/metrics.md from contract/metrics.py."""

from contract.metrics import ALL, STAGES


def metrics_page() -> str:
    """The text of docs/metrics.md."""
    lines = [
        "<!-- Generated from contract/metrics.py by `python -m ops.generate`: do not edit. -->",
        "# Metrics",
        "",
        "Gateway (`/metrics`) and ranker (its metrics port) expose these; no user or item id is ever a label.",
        "Histograms have the series `_bucket`, `_sum` and `_count`; every latency objective of `ops/slo.yaml` is an",
        "exact bucket edge.",
        "",
        "| name | type | labels | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{metric.name}` | {metric.type} | {', '.join(f'`{label}`' for label in metric.labels) or '–'} "
            f"| {metric.help} |"
            for metric in ALL
        ),
        "",
        f"Values of `stage`: {', '.join(f'`{stage}`' for stage in STAGES)}.",
        "`total` = `model` + `system`: what is not the model's is the system's; `queue`, `candidates` and `features`",
        "are parts of `system`.",
        "",
        "## Buckets",
        "",
        *(
            f"- `{metric.name}`: {', '.join(f'{edge:g}' for edge in metric.buckets)}"
            for metric in ALL
            if metric.type == "histogram"
        ),
        "",
        "## Recorded by Prometheus",
        "",
        "`pace:objective:value{objective=}` and `pace:objective:bound{objective=}`: each objective's measured value",
        "and its bound, every 30 s (`ops/rules/slo.yml`). An objective holds while the value is at most the bound; no",
        "value, or NaN, is unknown and never counts as held.",
        "",
    ]
    return "\n".join(lines)
