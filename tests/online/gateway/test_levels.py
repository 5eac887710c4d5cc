"""What a request is answered with, and what is said when it is not the first level."""

import time

import pytest

from contract.metrics import PARTS
from contract.store.publisher import set_model
from tests.online.toy import PriceScorer, publish, until, write_model


def ids(answer) -> list[str]:
    return [item["item_id"] for item in answer["items"]]


@pytest.fixture
def gateway(client, keys, models, ranked_gateway):
    publish(client, keys)
    write_model(models, "m1")
    set_model(client, keys, "m1")
    return ranked_gateway()


def test_the_model_orders_the_slate(gateway) -> None:
    answer = gateway.get("/recommend?user_id=ann&item_id=cup&n=4").json

    assert ids(answer) == ["chair", "lamp", "plate", "candle"]  # dearest first; `sold` is not available
    assert (answer["level"], answer["degraded"], answer["model_version"]) == ("full", None, "m1")
    assert [item["score"] for item in answer["items"]] == [90, 30, 6, 2]
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4]
    assert answer["items"][0]["title"] == "Oak chair"


def test_times_add_up(gateway) -> None:
    answer = gateway.get("/recommend?user_id=ann&item_id=cup").json
    timing = answer["timing_ms"]

    assert list(timing) == [*PARTS, "model", "system", "total"]
    assert timing["total"] == answer["took_ms"] == pytest.approx(timing["model"] + timing["system"])
    assert timing["model"] == pytest.approx(timing["encode"] + timing["score"], abs=0.002)
    assert all(timing[part] > 0 for part in PARTS if part != "encode")  # a toy reads no texts


def test_the_stages_of_whatever_answer_add_up_to_its_total(gateway) -> None:
    for query in (
        "user_id=ann",
        "item_id=cup&n=2",
        "user_id=stranger",
        "filter.price_max=1",
        "user_id=ann&explain=true",
    ):
        for _ in range(5):
            began = time.perf_counter()
            timing = gateway.get(f"/recommend?{query}").json["timing_ms"]
            outside_ms = (time.perf_counter() - began) * 1000

            assert sum(timing[part] for part in PARTS) == pytest.approx(timing["total"], rel=0.02, abs=0.01)
            assert 0 < timing["total"] <= outside_ms


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("user_id=stranger", "unknown_user"),
        ("item_id=nothing", "unknown_item"),
        ("user_id=stranger&item_id=nothing", "unknown_query"),
        ("", "no_query"),
    ],
)
def test_strangers_get_what_is_popular(gateway, query, reason) -> None:
    response = gateway.get(f"/recommend?{query}&n=3")

    assert response.status_code == 200
    assert ids(response.json) == ["chair", "cup", "plate"]
    assert (response.json["level"], response.json["degraded"]) == ("popular", reason)


def test_a_known_item_without_a_list_gets_its_segments_and_the_model(gateway) -> None:
    answer = gateway.get("/recommend?item_id=lonely&explain=true").json

    assert answer["level"] == "full"
    by_candidate_rank = sorted(answer["items"], key=lambda item: item["why"]["candidate_rank"])
    # lamp is in its segment's list and in everyone's, chair leads everyone's, candle is the segment's second.
    assert [item["item_id"] for item in by_candidate_rank][:3] == ["lamp", "chair", "candle"]


def test_an_unknown_item_beside_a_known_user_is_passed_over(gateway) -> None:
    answer = gateway.get("/recommend?user_id=ann&item_id=nothing").json

    assert answer["level"] == "full"
    assert {"plate", "candle", "chair"} <= set(ids(answer))


def test_a_basket_is_its_items_in_order_and_never_recommended(gateway) -> None:
    answer = gateway.post("/recommend", json={"item_ids": ["cup", "lamp"], "n": 8}).json

    assert not {"cup", "lamp"} & set(ids(answer))
    assert {"plate", "candle", "chair", "stool"} <= set(ids(answer))


def test_behind_the_depth_candidates_keep_their_order(client, keys, models, ranked_gateway) -> None:
    publish(client, keys)
    write_model(models, "m1")
    set_model(client, keys, "m1")
    gateway = ranked_gateway(gateway={"rerank_depth": 2})

    answer = gateway.get("/recommend?user_id=ann&n=5").json

    # Candidates: plate 6, candle 2, chair 90; the model sees the first two.
    assert ids(answer)[:3] == ["plate", "candle", "chair"]
    assert [item["score"] for item in answer["items"]][:3] == [6, 2, None]


def test_no_model_means_the_precomputed_order(client, keys, settings, start_gateway) -> None:
    publish(client, keys)
    gateway = start_gateway(settings())

    answer = gateway.get("/recommend?user_id=ann&n=3").json

    assert ids(answer) == ["plate", "candle", "chair"]
    assert (answer["level"], answer["degraded"], answer["model_version"]) == ("precomputed", "no_model", None)
    assert answer["items"][0]["source"] == "covisitation"
    assert answer["items"][0]["score"] == 1.0


@pytest.mark.parametrize(("repeats", "found"), [(True, {"cup", "chair", "lamp"}), (False, {"chair", "lamp"})])
def test_what_a_user_chose_is_proposed_again_only_where_things_are_chosen_twice(
    client, keys, settings, start_gateway, repeats, found
) -> None:
    lists = {("candidates-user", "ann"): ("cup", "chair"), ("candidates-segment", "all"): ("lamp", "cup")}
    publish(client, keys, lists=lists, repeats=repeats)  # ann has chosen the cup

    assert set(ids(start_gateway(settings()).get("/recommend?user_id=ann").json)) == found


def test_no_ranker_means_the_precomputed_order(client, keys, settings, start_gateway) -> None:
    publish(client, keys)
    set_model(client, keys, "m1")
    gateway = start_gateway(settings())

    answer = gateway.get("/recommend?user_id=ann&n=3").json

    assert ids(answer) == ["plate", "candle", "chair"]
    assert (answer["level"], answer["degraded"]) == ("precomputed", "ranker_unavailable")


def test_a_model_that_takes_longer_than_the_budget_is_not_waited_for(client, keys, models, ranked_gateway) -> None:
    publish(client, keys)
    write_model(models, "slow", seconds=3.0)
    set_model(client, keys, "slow")
    gateway = ranked_gateway()

    answer = gateway.get("/recommend?user_id=ann&timeout_ms=1100").json

    assert (answer["level"], answer["degraded"]) == ("precomputed", "ranker_timeout")
    assert answer["took_ms"] < 3000  # what the model takes


def test_a_promoted_model_that_cannot_be_loaded_leaves_the_one_before(gateway, client, keys) -> None:
    set_model(client, keys, "broken")  # has no directory

    def refused() -> bool:
        return gateway.get("/recommend?user_id=ann").json["degraded"] is None

    until(refused, "the ranker knows of the new model")
    answer = gateway.get("/recommend?user_id=ann").json
    assert (answer["level"], answer["model_version"]) == ("full", "m1")


def test_a_withdrawn_model_is_no_longer_asked(gateway, client, keys) -> None:
    set_model(client, keys, "")

    answer = gateway.get("/recommend?user_id=ann").json

    assert (answer["level"], answer["degraded"], answer["model_version"]) == ("precomputed", "no_model", None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter.categories=light&filter.categories=seat", {"lamp", "candle", "chair", "stool"}),
        ("filter.price_min=6&filter.price_max=30", {"plate", "lamp"}),
        ("filter.available=false&filter.categories=kitchen", {"plate", "candle", "sold"}),
        ("exclude=plate&exclude=chair&exclude=lamp", {"candle", "stool"}),
    ],
)
def test_filters_and_exclusions_come_before_the_model(gateway, query, expected) -> None:
    answer = gateway.get(f"/recommend?user_id=ann&item_id=cup&{query}&n=8").json

    assert set(ids(answer)) == expected
    assert answer["level"] == "full"


def test_nothing_left_is_an_empty_slate(gateway) -> None:
    answer = gateway.get("/recommend?user_id=ann&filter.categories=none").json

    assert answer["items"] == []
    assert answer["degraded"] == "no_candidates"


def test_an_explanation_says_where_an_item_came_from(gateway) -> None:
    answer = gateway.get("/recommend?user_id=ann&item_id=cup&n=1&explain=1").json

    assert answer["explanation"] == {"candidates": 6, "kept": 5, "scored": 5}
    assert answer["items"][0]["why"] == {
        "candidate_rank": 4,
        "model_score": 90.0,
        "sources": {"covisitation": pytest.approx(0.8, abs=0.001), "popularity": pytest.approx(1.0)},
    }


def test_a_lower_level_of_the_model_is_named_and_why(
    client, keys, models, settings, start_ranker, start_gateway
) -> None:
    """The first answer teaches what full takes, 1.5 s for five candidates: 800 ms leave no time for three."""
    publish(client, keys)
    write_model(models, "m1", seconds=1.5)
    set_model(client, keys, "m1")

    def load(directory):
        scorer = PriceScorer(directory)
        scorer.levels = ("full", "fast")
        return scorer

    chosen = settings(redis={"timeout_seconds": 0.2}, gateway={"min_timeout_ms": 201, "cache_ttl_seconds": 60})
    start_ranker(chosen, load)
    gateway = start_gateway(chosen)
    first = gateway.get("/recommend?user_id=ann&item_id=cup").json
    short = gateway.get("/recommend?user_id=ann&item_id=lamp&timeout_ms=800").json
    again = gateway.get("/recommend?user_id=ann&item_id=lamp&timeout_ms=800").json

    assert (first["level"], first["degraded"]) == ("full", None)
    assert (short["level"], short["degraded"], short["model_version"]) == ("fast", "over_budget", "m1")
    assert ids(short)[:2] == ["chair", "plate"]
    assert not again["cached"]  # with more time it would be better
