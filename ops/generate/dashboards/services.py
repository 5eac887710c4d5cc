"""Each service by its requests, their errors, and their duration (RED); and where the time of a request goes."""

from contract.metrics import PARTS, RANKER_STAGES, STAGES
from ops.generate.conventions import BOTTLENECK
from ops.generate.dashboards.expressions import mean_seconds, per_second, quantile, share, stage
from ops.generate.dashboards.panels import Panel, dashboard, graph

REQUESTS = "rec_request_duration_seconds"
ROUTE = 'route="/recommend"'


def services_dashboard() -> str:
    """The text of ops/grafana/dashboards/services.json."""
    return dashboard(
        "pacesetter-services",
        "Pacesetter: services",
        "Requests, errors and durations of the gateway and the ranker.",
        {
            "Gateway": _gateway(),
            "Levels": _levels(),
            "Where the time goes": _stages(),
            "Ranker": _ranker(),
            "Model and generation": _generation(),
        },
    )


def _gateway() -> list[Panel]:
    all_of_them = f"{REQUESTS}_count{{{ROUTE}}}"
    answered = f'{REQUESTS}_bucket{{{ROUTE},outcome="ok"}}'
    return [
        graph(
            "Requests by outcome",
            "reqps",
            per_second(all_of_them, "outcome"),
            "{{outcome}}",
            "`refused` is the caller's doing, `error` is ours.",
        ),
        graph(
            "Errors", "percentunit", share(f'{REQUESTS}_count{{{ROUTE},outcome="error"}}', all_of_them), "of requests"
        ),
        graph(
            "Duration",
            "s",
            {f"p{round(q * 100)}": quantile(q, answered) for q in (0.5, 0.95, 0.99)},
            why="Of calls that were answered.",
        ),
    ]


def _levels() -> list[Panel]:
    return [
        graph("Answers by level", "reqps", per_second("rec_level_total", "level"), "{{level}}", stacked=True),
        graph("Share at level full", "percentunit", share('rec_level_total{level="full"}', "rec_level_total"), "full"),
        graph("Why answers fell back", "reqps", per_second('rec_shed_total{job="gateway"}', "reason"), "{{reason}}"),
    ]


def _stages() -> list[Panel]:
    return [
        graph(
            "t_total = t_model + t_system, mean a request",
            "s",
            {f"t_{part}": mean_seconds([part]) for part in ("model", "system")},
            stacked=True,
        ),
        graph(
            "Stages, mean a request",
            "s",
            {part: mean_seconds([part]) for part in PARTS},
            stacked=True,
        ),
        graph(
            "Bottleneck",
            "percentunit",
            BOTTLENECK,
            "{{stage}}",
            "The stage that takes most of the time, and its share.",
        ),
        graph(
            "Stages, p99",
            "s",
            quantile(0.99, stage(*STAGES, part="bucket"), "stage"),
            "{{stage}}",
            span=24,
        ),
    ]


def _ranker() -> list[Panel]:
    return [
        graph("Rank requests scored", "reqps", per_second("rec_batch_requests_sum"), "scored"),
        graph("Rank requests refused", "reqps", per_second('rec_shed_total{job="ranker"}', "reason"), "{{reason}}"),
        graph(
            "Duration of a score",
            "s",
            {
                f"{name.removeprefix('ranker_')} p{round(q * 100)}": quantile(q, stage(name, part="bucket"))
                for name in RANKER_STAGES
                for q in (0.5, 0.99)
            },
        ),
    ]


def _generation() -> list[Panel]:
    return [
        graph("Model that is served", "none", "max by (version) (rec_model_info)", "{{version}}"),
        graph("Its NDCG@10, offline", "none", "min by (version) (rec_model_ndcg)", "{{version}}"),
        graph(
            "Slates followed by a click or a purchase",
            "percentunit",
            "min by (event) (rec_slate_through)",
            "{{event}}",
            "Of the days before the live generation, as it tells.",
        ),
        graph("Rankers that are ready", "none", "sum(rec_ranker_ready)", "ready"),
        graph("Live generation", "none", "max(rec_generation)", "generation"),
        graph("Age of the live generation", "s", "max(rec_candidates_age_seconds)", "age"),
        graph("Impressions offered", "reqps", per_second("rec_impressions_total", "outcome"), "{{outcome}}"),
    ]
