"""Redis frozen or gone: a marked fallback out of memory within the budget, and back by itself."""

import os
import signal

import pytest

from tests.online.stack import Traffic, running_stack
from tests.online.toy import publish, until


@pytest.fixture
def stack(tmp_path):
    settings = {"PACE_GATEWAY__CACHE_TTL_SECONDS": "60", "PACE_REDIS__TIMEOUT_SECONDS": "0.2"}
    with running_stack(tmp_path, **settings) as stack:
        publish(stack.client, stack.keys)
        yield stack


def test_frozen_it_costs_marked_fallbacks_and_no_error(stack) -> None:
    pid = stack.client.info("server")["process_id"]
    with stack.gateway(), Traffic(stack, ("user_id=ann&timeout_ms=3000", "item_id=cup&timeout_ms=3000&n=3")) as traffic:
        traffic.until_answers(20)
        os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: traffic.levels()["popular"] > 40, "answers from memory")
            ready = stack.page("/readyz")
            report = stack.page("/monitor.json")[1]
        finally:
            os.kill(pid, signal.SIGCONT)
        back = traffic.levels()["precomputed"]
        until(lambda: traffic.levels()["precomputed"] > back + 20, "answers from Redis again")

    assert traffic.failures == []
    from_memory = [answer for answer in traffic.answers if answer["level"] == "popular"]
    assert {answer["degraded"] for answer in from_memory} == {"store_unreachable"}
    assert {answer["generation"] for answer in traffic.answers} == {1}
    assert all(item["title"] for answer in from_memory for item in answer["items"])
    assert "cup" not in {item["item_id"] for a in from_memory for item in a["items"] if len(a["items"]) == 3}
    assert all(answer["took_ms"] < 3000 for answer in from_memory)
    assert (ready[0], ready[1]["store"]) == (503, "unreachable")
    assert report["store"] == "unreachable"
    assert report["windows"]["1m"]["degraded"]["store_unreachable"] > 0


def test_stopped_it_is_the_same_and_an_empty_one_in_its_place_is_no_new_generation(stack) -> None:
    with stack.gateway():
        stack.client.shutdown(nosave=True)
        until(lambda: stack.ask()[1]["degraded"] == "store_unreachable", "answers from memory")
        gone = stack.ask("user_id=ann&filter.price_max=5")

    assert gone[0] == 200
    assert [item["item_id"] for item in gone[1]["items"]] == ["cup"]


def test_emptied_it_is_answered_from_memory_too(stack) -> None:
    with stack.gateway():
        stack.client.flushall()
        status, answer = stack.ask()

    assert (status, answer["level"], answer["degraded"]) == (200, "popular", "no_generation")


def test_a_value_that_does_not_decode_is_a_fallback(stack) -> None:
    stack.client.set(stack.keys.value(1, "candidates-user", "ann"), b"\x01garbage")
    with stack.gateway():
        status, answer = stack.ask()

    assert (status, answer["level"], answer["degraded"]) == (200, "popular", "corrupt_value")
