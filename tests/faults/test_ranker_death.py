"""The ranker killed under load costs fallbacks, never an error; when it is back, so is the model."""

import signal

import pytest

from contract.store.publisher import set_model
from tests.online.stack import Traffic, running_stack
from tests.online.toy import fetch, publish, until, write_model


@pytest.fixture
def stack(tmp_path):
    with running_stack(tmp_path) as stack:
        publish(stack.client, stack.keys)
        write_model(tmp_path, "m1")
        set_model(stack.client, stack.keys, "m1")
        yield stack


def test_killed_and_started_again_under_load(stack) -> None:
    with stack.gateway():
        with stack.ranker() as first:
            stack.until_level("full")
            with Traffic(stack) as traffic:
                traffic.until_answers(50)
                first.kill()
                first.wait()
                fallen = len(traffic.answers)
                until(lambda: traffic.levels()["precomputed"] > 20, "answers fall back")
                with stack.ranker():
                    back = traffic.levels()["full"]
                    until(lambda: traffic.levels()["full"] > back + 20, "the model is back")

        assert traffic.failures == []
        assert set(traffic.levels()) == {"full", "precomputed"}
        reasons = {answer["degraded"] for answer in traffic.answers if answer["level"] == "precomputed"}
        assert reasons <= {"ranker_unavailable", "ranker_no_model", "ranker_timeout"}
        assert {answer["level"] for answer in traffic.answers[:fallen]} >= {"full"}


def test_killed_while_it_scores_costs_the_waiting_request_no_more_than_its_model(stack, tmp_path) -> None:
    write_model(tmp_path, "slow", seconds=60.0)
    set_model(stack.client, stack.keys, "slow")
    with stack.gateway(), stack.ranker() as ranker:
        until(lambda: stack.page("/readyz")[1]["ranker"] == "serves slow", "the slow model is loaded")
        with Traffic(stack, ("user_id=ann&timeout_ms=10000",)) as traffic:
            waiting = f"http://127.0.0.1:{stack.metrics_port}/metrics"
            until(lambda: "rec_queue_size 3.0" in str(fetch(waiting)[1]), "one is scored, three wait")
            ranker.kill()
            traffic.until_answers(4)

    assert traffic.failures == []
    assert {answer["degraded"] for answer in traffic.answers} == {"ranker_unavailable"}


def test_frozen_it_is_given_up_and_asked_again_once_it_wakes(stack) -> None:
    with stack.gateway(), stack.ranker() as ranker:
        stack.until_level("full")
        ranker.send_signal(signal.SIGSTOP)
        try:
            answers = [stack.ask("user_id=ann&timeout_ms=1100") for _ in range(6)]
        finally:
            ranker.send_signal(signal.SIGCONT)
        stack.until_level("full")

    assert {status for status, _ in answers} == {200}
    reasons = [answer["degraded"] for _, answer in answers]
    assert reasons[0] == "ranker_timeout"
    assert reasons[-1] == "ranker_unavailable"  # the breaker is open: no one waits any more
