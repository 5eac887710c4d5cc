"""docs/metrics.md from contract/metrics.py."""

from contract.metrics import ALL, RANKER_STAGES

MEANINGS = {
    "parse": "the gateway reads and checks the request; of one that ends in an error, what is left",
    "candidates": "Redis is asked for a cached answer, then for the query's lists and records; the lists are merged",
    "rules": "candidates are filtered by items' records, unknown ones are read; then put in the model's order",
    "transfer": "the way to the ranker and back; where no scores came, the wait for them",
    "queue": "the request waits in the ranker",
    "features": "the ranker looks up records, makes features and tokens",
    "encode": "the network reads texts whose states are not there: new queries (shared ones are fetched), new items",
    "score": "the network scores the candidates beside the query",
    "serialize": "the slate becomes JSON, is offered as an impression and kept in the answer cache",
    "model": "`encode` + `score`",
    "system": "all the others",
    "total": "`model` + `system`, from the call's arrival in the app to its answer",
}
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
    ("`pace:stage:seconds`", "mean seconds of each stage, in the shortest window of a burn rate"),
    ("`pace:stage:share`", "share of each of the nine stages in `total`, in the same window"),
    ("`pace:bottleneck:share`", "the greatest of these shares: its label `stage` names the bottleneck"),
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
        "## Stages of a request",
        "",
        "The values of `stage`. The first nine do not overlap and add up to `total`; the ranker counts its own under",
        f"{', '.join(f'`{stage}`' for stage in RANKER_STAGES)}.",
        "",
        "| stage | what happens in it |",
        "|---|---|",
        *(f"| `{stage}` | {meaning} |" for stage, meaning in MEANINGS.items()),
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
