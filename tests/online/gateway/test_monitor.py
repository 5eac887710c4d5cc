"""/monitor.json, /readyz, /healthz and /metrics, on a gateway that has answered."""

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract.errors import BadInput
from contract.metrics import ALL, PARTS, STAGES
from contract.records import Through
from contract.store.publisher import set_model
from tests.online.toy import free_port, publish, until, write_model


@pytest.fixture
def gateway(client, keys, models, ranked_gateway):
    publish(client, keys)
    write_model(models, "m1")
    set_model(client, keys, "m1")
    return ranked_gateway(gateway={"cache_ttl_seconds": 60})


def value(gateway, name: str, **labels: str) -> float:
    samples = [
        sample
        for family in text_string_to_metric_families(gateway.get("/metrics").text)
        for sample in family.samples
        if (sample.name, sample.labels) == (name, labels)
    ]
    assert len(samples) == 1
    return samples[0].value


def test_total_is_model_plus_system(gateway) -> None:
    for query in ("user_id=ann", "item_id=cup", "user_id=stranger"):
        gateway.get(f"/recommend?{query}")

    window = gateway.get("/monitor.json").json["windows"]["1m"]

    assert window["answers"] == 3
    assert window["t_total_ms"] == pytest.approx(window["t_model_ms"] + window["t_system_ms"], abs=0.001)
    assert window["t_model_ms"] > 0
    assert {stage: figures["count"] for stage, figures in window["stages"].items()} == dict.fromkeys(STAGES, 3)
    assert window["bottleneck"]["stage"] == max(PARTS, key=lambda part: window["parts_ms"][part])
    assert 0 < window["bottleneck"]["share"] <= 1


def test_labels_have_only_values_that_an_objective_may_name(gateway) -> None:
    for query in ("user_id=ann", "user_id=ann", "user_id=stranger", "n=none"):
        gateway.get(f"/recommend?{query}")
    known = {metric.name.removesuffix("_total"): metric.values for metric in ALL}

    found = [
        (family.name, label, value)
        for family in text_string_to_metric_families(gateway.get("/metrics").text)
        for sample in family.samples
        for label, value in sample.labels.items()
        if label in known.get(family.name, ())
    ]

    assert {label for _, label, _ in found} >= {"route", "outcome", "level", "stage"}
    assert [(name, label, value) for name, label, value in found if value not in known[name][label]] == []


def test_a_page_opened_now_sees_what_happened_before(gateway) -> None:
    for query in ("user_id=ann", "item_id=cup", "user_id=stranger"):
        gateway.get(f"/recommend?{query}")
    gateway.application.extensions["background"].monitor.remember()

    report = gateway.get("/monitor.json").json
    series = report["series"]

    answered = [rate for rate in series["answers_per_second"] if rate]
    assert len(answered) >= 1
    assert len(series["at"]) == len(series["t_total_ms"]) == len(series["answers_per_second"])
    assert max(series["at"]) == pytest.approx(report["at"], abs=series["step_seconds"])
    assert [total for total in series["t_total_ms"] if total is not None] != []


def test_objectives_are_judged_over_each_window(gateway) -> None:
    for query in ("user_id=ann", "user_id=stranger"):
        gateway.get(f"/recommend?{query}")

    report = gateway.get("/monitor.json").json

    assert report["objectives_unknown"] is None
    for window in report["windows"].values():
        (full,) = [entry for entry in window["objectives"] if entry["name"] == "level_full"]
        assert (full["events"], full["bad"], full["verdict"]) == (2, 1, "MISS")


def test_levels_reasons_and_the_cache_are_told(gateway) -> None:
    for query in ("user_id=ann", "user_id=ann", "user_id=stranger"):
        gateway.get(f"/recommend?{query}")

    report = gateway.get("/monitor.json").json

    assert report["windows"]["15m"]["levels"] == {"full": 2, "popular": 1}
    assert report["windows"]["15m"]["degraded"] == {"unknown_user": 1}
    assert report["windows"]["15m"]["cache"] == {"hits": 1, "misses": 2, "hit_ratio": 0.3333}
    assert (report["generation"], report["model_version"], report["store"]) == (1, "m1", "ok")
    assert report["ranker"] == "serves m1"


def test_before_the_first_answer_there_are_no_figures(gateway) -> None:
    window = gateway.get("/monitor.json").json["windows"]["1m"]

    assert (window["answers"], window["t_total_ms"], window["bottleneck"]) == (0, None, None)
    assert window["cache"]["hit_ratio"] is None


def test_the_generation_and_its_age_are_metrics(gateway) -> None:
    assert value(gateway, "rec_generation") == 1
    assert 0 < value(gateway, "rec_candidates_age_seconds") < 600


def test_an_age_that_nobody_knows_does_not_read_as_fresh(client, settings, start_gateway) -> None:
    gateway = start_gateway(settings())

    assert math.isnan(value(gateway, "rec_candidates_age_seconds"))


def test_what_became_of_slates_is_a_metric_of_the_generation_that_is_served(
    client, keys, settings, start_gateway
) -> None:
    publish(client, keys, through=Through(slates=40, click=0.25, purchase=None))
    gateway = start_gateway(settings())

    assert value(gateway, "rec_slate_through", event="click") == 0.25
    assert math.isnan(value(gateway, "rec_slate_through", event="purchase"))

    publish(client, keys)
    gateway.application.extensions["background"].pulse.beat()

    assert math.isnan(value(gateway, "rec_slate_through", event="click"))  # that of before is not held on to


def test_an_objective_on_what_became_of_slates_is_judged_as_metrics_shows_it(
    client, keys, settings, start_gateway, tmp_path
) -> None:
    objectives = tmp_path / "slo.yaml"
    objectives.write_text(
        "objectives:\n  - {name: slates_clicked, kind: bound, description: Clicked, gauge: rec_slate_through,"
        " where: {event: click}, at_least: 0.02}\n"
    )
    publish(client, keys, through=Through(slates=40, click=0.25, purchase=None))
    gateway = start_gateway(settings(monitoring={"objectives": str(objectives)}))

    (clicked,) = gateway.get("/monitor.json").json["windows"]["5m"]["objectives"]

    assert (clicked["value"], clicked["verdict"]) == (value(gateway, "rec_slate_through", event="click"), "OK")


def test_no_share_is_known_before_a_generation_is_seen(settings, start_gateway, client) -> None:
    gateway = start_gateway(settings())

    assert math.isnan(value(gateway, "rec_slate_through", event="click"))
    assert math.isnan(value(gateway, "rec_slate_through", event="purchase"))


def test_ready_means_redis_and_a_generation(client, keys, settings, start_gateway) -> None:
    gateway = start_gateway(settings())
    before = gateway.get("/readyz")

    publish(client, keys)

    until(lambda: gateway.get("/readyz").status_code == 200, "it becomes ready")
    assert (before.status_code, before.json["ready"], before.json["store"]) == (503, False, "no_generation")
    ready = gateway.get("/readyz").json
    assert (ready["ready"], ready["generation"]) == (True, 1)
    assert "ranker_unavailable" in ready["ranker"]  # said, and no reason to be unready


def test_alive_whatever_redis_does(settings, start_gateway) -> None:
    gateway = start_gateway(settings(redis={"url": f"redis://127.0.0.1:{free_port()}/0"}))

    assert gateway.get("/healthz").json == {"alive": True}
    assert (gateway.get("/readyz").status_code, gateway.get("/readyz").json["store"]) == (503, "unreachable")
    never_seen = gateway.get("/recommend?user_id=ann")
    assert (never_seen.status_code, never_seen.content_type) == (503, "application/problem+json")
    assert never_seen.headers["Retry-After"] == "1"


def test_budgets_that_a_frozen_redis_would_outlast_are_refused(settings, start_gateway) -> None:
    with pytest.raises(BadInput, match="PACE_GATEWAY__MIN_TIMEOUT_MS"):
        start_gateway(settings(gateway={"min_timeout_ms": 100}, redis={"timeout_seconds": 0.2}))
