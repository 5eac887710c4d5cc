"""Each resource by its utilization, its saturation, and its errors (USE)."""

from contract.metrics import RANKER_STAGES
from ops.generate.dashboards.expressions import WINDOW, or_zero, per_second, quantile, share, stage
from ops.generate.dashboards.panels import Panel, dashboard, graph


def resources_dashboard() -> str:
    """The text of ops/grafana/dashboards/resources.json."""
    return dashboard(
        "pacesetter-resources",
        "Pacesetter: resources",
        "What is busy, what waits for it, what it refuses.",
        {
            "Ranker: the one thread that scores": _scoring(),
            "Ranker: memory": _memory(),
            "Redis, serving": _redis(),
            "Answer cache and event stream": _cache_and_stream(),
        },
    )


def _scoring() -> list[Panel]:
    return [
        graph(
            "Utilization: share of the time",
            "percentunit",
            per_second(stage(*RANKER_STAGES), "instance"),
            "{{instance}}",
            "Near 1 the queue grows.",
        ),
        graph("Saturation: requests that wait", "none", "sum by (instance) (rec_queue_size)", "{{instance}}"),
        graph(
            "Saturation: wait in the queue",
            "s",
            {f"p{round(q * 100)}": quantile(q, "rec_queue_wait_seconds_bucket") for q in (0.5, 0.99)},
        ),
        graph("Work: pairs scored", "ops", per_second("rec_batch_pairs_sum", "instance"), "{{instance}}"),
        graph(
            "Requests scored together",
            "none",
            " / ".join(per_second(f"rec_batch_requests_{part}", "instance") for part in ("sum", "count")),
            "{{instance}}",
            "The mean of a batch; 1 where nobody waits.",
        ),
        graph(
            "Errors: rank requests refused", "reqps", per_second('rec_shed_total{job="ranker"}', "reason"), "{{reason}}"
        ),
        graph(
            "Errors: models and states refused",
            "none",
            {
                name: or_zero(f'sum(increase(rec_{name}_loads_total{{outcome="refused"}}[{WINDOW}]))')
                for name in ("model", "state")
            },
        ),
    ]


def _memory() -> list[Panel]:
    return [
        graph("Item states, bytes", "bytes", "sum by (instance) (rec_item_states_bytes)", "{{instance}}"),
        graph("Item states, texts", "none", "sum by (instance) (rec_item_states)", "{{instance}}"),
        graph(
            "Texts that scoring needed",
            "ops",
            per_second("rec_texts_total", "kind, outcome"),
            "{{kind}} {{outcome}}",
            "Those that are `read` cost time: items that are new since the night, queries that nobody asked before.",
        ),
    ]


def _redis() -> list[Panel]:
    return [
        graph(
            "Utilization: time spent on it",
            "percentunit",
            per_second(stage("candidates", "features"), "stage"),
            "{{stage}}",
            "Seconds a second over all requests.",
        ),
        graph(
            "Saturation: candidates and features, p99",
            "s",
            quantile(0.99, stage("candidates", "features", part="bucket"), "stage"),
            "{{stage}}",
        ),
        graph(
            "Errors: answers without it",
            "reqps",
            or_zero(per_second('rec_shed_total{reason=~"store_unreachable|corrupt_value"}')),
            "answers",
        ),
    ]


def _cache_and_stream() -> list[Panel]:
    hits, looked_up = 'rec_answer_cache_total{outcome="hit"}', "rec_answer_cache_total"
    return [
        graph("Cache: share of hits", "percentunit", share(hits, looked_up), "hits"),
        graph("Stream: impressions", "ops", per_second("rec_impressions_total", "outcome"), "{{outcome}}"),
        graph(
            "Errors: impressions that were dropped",
            "ops",
            or_zero(per_second('rec_impressions_total{outcome!="written"}')),
            "dropped",
        ),
    ]
