"""Batches at the ranker's socket."""

import threading

import numpy as np

from contract.frames import encode
from contract.store.publisher import set_model
from tests.online.ranker.peer import Peer, request
from tests.online.toy import publish, until, write_model


def test_what_waits_together_is_scored_together_and_each_gets_its_own(
    client, keys, models, settings, start_ranker, monkeypatch
) -> None:
    publish(client, keys)
    write_model(models, "m1")
    set_model(client, keys, "m1")
    # The first one waits for the others to come, and is so learnt to be slow: batches may be, too.
    chosen = settings(ranker={**settings().ranker.model_dump(), "batch_ms": 60_000.0})
    ranker = start_ranker(chosen)
    peer, may_go, scorer = Peer(chosen.ranker.endpoint), threading.Event(), ranker.watch.serving
    peer.ask()  # what it costs is known
    run, together, value = scorer.run_all, [], ranker.metrics.registry.get_sample_value

    def waits(prepared, level):
        together.append(len(prepared))
        assert may_go.wait(20)
        return run(prepared, level)

    monkeypatch.setattr(scorer, "run_all", waits)
    asked = {1: ("cup",), 2: ("chair", "cup"), 3: ("lamp",), 4: ("cup", "lamp")}
    peer.say(encode(request(asked[1], request_id=1, budget_ms=60_000.0)))
    until(lambda: together == [1], "the first is being scored")
    for number in (2, 3, 4):
        peer.say(encode(request(asked[number], request_id=number, budget_ms=60_000.0)))
    until(lambda: value("rec_queue_size") == 3, "three wait")
    may_go.set()

    answers = {answer.request_id: answer for answer in (peer.hear() for _ in range(4))}

    assert together == [1, 3]
    found = {number: np.frombuffer(answer.scores, "<f4").tolist() for number, answer in answers.items()}
    assert found == {1: [4.0], 2: [90.0, 4.0], 3: [30.0], 4: [4.0, 30.0]}
    assert value("rec_batch_requests_sum") == 5
    assert ranker.server._open_jobs == ranker.server._open_pairs == 0
    peer.close()
