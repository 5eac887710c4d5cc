"""Generations published and rolled back under load: no error, and every answer is of exactly one generation."""

from contract.store.publisher import roll_back, set_model
from tests.online.stack import Traffic, running_stack
from tests.online.toy import publish, write_model

FLIPS = 6
# A machine that stands still for seconds may cost an answer its model; a flip may not.
OF_TIME = ("ranker_timeout", "ranker_unavailable", "over_budget")


def test_every_answer_is_of_one_generation(tmp_path) -> None:
    def titled(number: int):
        return lambda title: f"{title} of {number}"

    with running_stack(tmp_path, PACE_GATEWAY__CACHE_TTL_SECONDS="60") as stack:
        publish(stack.client, stack.keys, titled(1))
        write_model(tmp_path, "m1")
        set_model(stack.client, stack.keys, "m1")
        with stack.gateway(), stack.ranker():
            stack.until_level("full")
            queries = tuple(f"user_id=ann&item_id=cup&n={n}" for n in range(1, 30))
            with Traffic(stack, queries) as traffic:
                for number in range(2, FLIPS + 2):
                    publish(stack.client, stack.keys, titled(number))
                    traffic.until_answers(30)
                roll_back(stack.client, stack.keys)
                traffic.until_answers(30)
                last = stack.ask()[1]["generation"]

    assert traffic.failures == []
    assert {answer["generation"] for answer in traffic.answers} == set(range(1, FLIPS + 2))
    assert last == FLIPS
    for answer in traffic.answers:
        assert answer["items"]
        assert {item["title"].rsplit(" of ")[1] for item in answer["items"]} == {str(answer["generation"])}
    assert {answer["degraded"] for answer in traffic.answers} <= {None, *OF_TIME}
    assert {answer["generation"] for answer in traffic.answers if answer["level"] == "full"} == set(range(1, FLIPS + 2))
