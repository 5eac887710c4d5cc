"""Answers are cached under everything that changes them, and only at the best level there is."""

import pytest

from contract.store.publisher import set_model
from tests.online.toy import publish, write_model

CACHED = {"gateway": {"cache_ttl_seconds": 60}}


@pytest.fixture
def gateway(client, keys, models, ranked_gateway):
    publish(client, keys)
    write_model(models, "m1")
    set_model(client, keys, "m1")
    return ranked_gateway(**CACHED)


def test_a_second_answer_is_the_first_with_a_name_of_its_own(gateway) -> None:
    first, second = (gateway.get("/recommend?user_id=ann&item_id=cup&explain=1").json for _ in range(2))

    assert (first["cached"], second["cached"]) == (False, True)
    assert second["items"] == first["items"]
    assert second["explanation"] == first["explanation"]
    assert (second["level"], second["model_version"], second["generation"]) == ("full", "m1", first["generation"])
    assert second["recommendation_id"] != first["recommendation_id"]
    assert second["timing_ms"]["model"] == 0  # its own time, not the first one's


def test_get_and_post_share_answers(gateway) -> None:
    gateway.get("/recommend?user_id=ann&item_id=cup&exclude=lamp&exclude=chair")

    same = gateway.post("/recommend", json={"item_ids": ["cup"], "user_id": "ann", "exclude": ["chair", "lamp"]})

    assert same.json["cached"]


def test_the_session_and_the_budget_change_no_answer(gateway) -> None:
    gateway.get("/recommend?user_id=ann")

    assert gateway.get("/recommend?user_id=ann&session_id=s1&timeout_ms=2000").json["cached"]


@pytest.mark.parametrize(
    "other",
    [
        "user_id=ann&item_id=cup&item_ids=lamp",
        "user_id=ann",
        "item_id=cup",
        "user_id=ann&item_id=cup&n=3",
        "user_id=ann&item_id=cup&exclude=lamp",
        "user_id=ann&item_id=cup&explain=1",
        "user_id=ann&item_id=cup&filter.categories=light",
        "user_id=ann&item_id=cup&filter.price_min=1",
        "user_id=ann&item_id=cup&filter.price_max=1",
        "user_id=ann&item_id=cup&filter.available=false",
    ],
)
def test_another_question_has_another_answer(gateway, other) -> None:
    gateway.get("/recommend?user_id=ann&item_id=cup")

    assert not gateway.get(f"/recommend?{other}").json["cached"]


def test_a_new_generation_has_answers_of_its_own(gateway, client, keys) -> None:
    before = gateway.get("/recommend?user_id=ann").json

    publish(client, keys, titled=lambda title: f"New {title}")

    after = gateway.get("/recommend?user_id=ann").json
    assert (after["cached"], after["generation"]) == (False, before["generation"] + 1)
    assert all(item["title"].startswith("New ") for item in after["items"])


def test_an_answer_of_another_model_is_not_given(gateway, client, keys) -> None:
    gateway.get("/recommend?user_id=ann")

    set_model(client, keys, "")

    assert not gateway.get("/recommend?user_id=ann").json["cached"]
    assert gateway.get("/recommend?user_id=ann").json["cached"]  # no better one is to be had


def test_a_fallback_is_not_cached(client, keys, settings, start_gateway) -> None:
    publish(client, keys)
    set_model(client, keys, "m1")
    gateway = start_gateway(settings(**CACHED))  # without a ranker

    answers = [gateway.get("/recommend?user_id=ann").json for _ in range(2)]

    assert [answer["degraded"] for answer in answers] == ["ranker_unavailable"] * 2
    assert not answers[1]["cached"]


def test_an_answer_of_the_model_before_is_not_cached(gateway, client, keys) -> None:
    set_model(client, keys, "broken")

    answers = [gateway.get("/recommend?user_id=ann").json for _ in range(50)]

    assert not any(answer["cached"] for answer in answers)


def test_an_answer_lives_as_long_as_the_setting_says(gateway, client, keys) -> None:
    gateway.get("/recommend?user_id=ann")

    (key,) = client.scan_iter(match=b"test:answer:*")
    assert 50 < client.ttl(key) <= 60


def test_a_cached_value_that_does_not_decode_is_computed_anew(gateway, client, keys) -> None:
    first = gateway.get("/recommend?user_id=ann").json
    (key,) = client.scan_iter(match=b"test:answer:*")
    client.set(key, b"garbage")

    again = gateway.get("/recommend?user_id=ann").json

    assert not again["cached"]
    assert again["items"] == first["items"]


def test_look_ups_are_counted(gateway) -> None:
    for _ in range(3):
        gateway.get("/recommend?user_id=ann")

    page = gateway.get("/metrics").text
    assert 'rec_answer_cache_total{outcome="hit"} 2.0' in page
    assert 'rec_answer_cache_total{outcome="miss"} 1.0' in page
