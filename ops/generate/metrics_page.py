"""docs/metrics.md from contract/metrics.py."""

from contract.metrics import ALL, STAGES

RECORDED = (
    ("`pace:objective:value`", "what is judged: the share of good events in the window `judged`, or the worst value"),
    ("`pace:objective:bound`", "what the value must not pass"),
    ("`slo:sli_error:ratio_rate5m`, `..30m` and so on", "share of bad events in a window"),
    ("`slo:objective:ratio`, `slo:error_budget:ratio`", "shares of good events promised and of bad ones allowed"),
    ("`slo:time_period:days`", "over how long"),
    ("`slo:current_burn_rate:ratio`", "how many times faster than allowed bad events come, in the shortest window"),
    ("`slo:period_burn_rate:ratio`", "the same in the whole window"),
    ("`slo:period_error_budget_remaining:ratio`", "share of the budget that is left"),
    ("`sloth_slo_info`", "1, with the percentage as the label `sloth_objective`"),
    (
        "`pace:events:rate5m`, `pace:bad_events:rate5m`",
        "events a second, of which the sums of the whole window are made",
    ),
    (
        "`pace:events:increase1h` and so on",
        "events in the long window of a burn rate; below `minimum_events` none alerts",
    ),
)


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
        "Of each objective of `ops/slo.yaml`, with the labels `sloth_service`, `sloth_slo` and `sloth_id`. Names that",
        "begin with `slo:` are those of [Sloth](https://github.com/slok/sloth). No value, or NaN, is unknown and never",
        "counts as held.",
        "",
        "| name | meaning |",
        "|---|---|",
        *(f"| {name} | {meaning} |" for name, meaning in RECORDED),
        "",
    ]
    return "\n".join(lines)
