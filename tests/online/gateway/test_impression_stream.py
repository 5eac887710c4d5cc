"""Every slate that was served is an event, off the request path; what cannot be written is counted."""

import pytest

from contract.store.impressions import ImpressionLog
from tests.online.toy import free_port, publish, until


@pytest.fixture
def stream(client, keys):
    return ImpressionLog(client, keys, max_length=1000)


def test_a_served_slate_is_in_the_stream(client, keys, settings, start_gateway, stream) -> None:
    generation = publish(client, keys)
    gateway = start_gateway(settings())

    answer = gateway.get("/recommend?user_id=ann&session_id=s1&n=2").json

    until(lambda: client.xlen(keys.impressions) == 1, "the impression is written")
    ((_, impression),) = stream.read()
    assert impression.recommendation_id == answer["recommendation_id"]
    assert (impression.user_id, impression.session_id) == ("ann", "s1")
    assert impression.item_ids == tuple(item["item_id"] for item in answer["items"]) == ("plate", "candle")
    assert (impression.generation, impression.model_version, impression.level) == (generation, "", "precomputed")
    assert impression.ts > 1.7e9


def test_a_cached_answer_is_an_impression_too(client, keys, settings, start_gateway, stream) -> None:
    publish(client, keys)
    gateway = start_gateway(settings(gateway={"cache_ttl_seconds": 60}))

    shown = [gateway.get("/recommend?user_id=ann").json["recommendation_id"] for _ in range(2)]

    until(lambda: client.xlen(keys.impressions) == 2, "both impressions are written")
    assert [impression.recommendation_id for _, impression in stream.read()] == shown


def test_a_slate_that_nobody_is_sent_is_none(client, keys, settings, start_gateway, stream) -> None:
    publish(client, keys)
    gateway = start_gateway(settings())

    assert gateway.head("/recommend?user_id=ann").status_code == 200
    shown = gateway.get("/recommend?user_id=ann").json["recommendation_id"]
    gateway.application.extensions["background"].impressions.stop()

    assert [impression.recommendation_id for _, impression in stream.read()] == [shown]


def test_what_is_held_is_written_at_the_stop(client, keys, settings, start_gateway, stream) -> None:
    publish(client, keys)
    gateway = start_gateway(settings())

    for _ in range(20):
        gateway.get("/recommend?user_id=ann")
    gateway.application.extensions["background"].impressions.stop()

    assert client.xlen(keys.impressions) == 20


def test_without_an_events_instance_answers_go_on_and_drops_are_counted(client, keys, settings, start_gateway) -> None:
    publish(client, keys)
    nobody = {"url": f"redis://127.0.0.1:{free_port()}/0"}
    gateway = start_gateway(settings(events=nobody, gateway={"impressions_waiting": 3}))

    answers = [gateway.get("/recommend?user_id=ann") for _ in range(5)]
    gateway.application.extensions["background"].impressions.stop()

    assert [answer.status_code for answer in answers] == [200] * 5
    assert 'rec_impressions_total{outcome="dropped"} 5.0' in gateway.get("/metrics").text


def test_impressions_wait_for_an_events_instance_to_come_back(client, keys, settings, start_gateway, stream) -> None:
    publish(client, keys)
    gateway = start_gateway(settings())
    client.set(keys.impressions, b"no stream")  # an append fails as long as this stands

    shown = gateway.get("/recommend?user_id=ann").json["recommendation_id"]
    client.delete(keys.impressions)

    until(lambda: client.exists(keys.impressions), "the impression is written after all")
    assert [impression.recommendation_id for _, impression in stream.read()] == [shown]
