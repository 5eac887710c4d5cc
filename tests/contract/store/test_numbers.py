"""Generation numbers: times that a reader can read, and none comes again."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract.keys import Keys
from contract.store.connection import connect
from contract.store.numbers import number_by_clock, number_of, take_number
from contract.store.publisher import Publisher

NIGHT = number_of(1_796_004_903)


def test_a_number_is_the_time_in_utc() -> None:
    assert NIGHT == 20261130021503


def test_a_publish_takes_its_number_by_the_clock(client: Any, keys: Keys) -> None:
    before = number_by_clock()
    number = Publisher(client, keys, staging_ttl_seconds=600, retired_ttl_seconds=60).open()
    assert before <= number <= number_by_clock()


def test_numbers_of_one_second_follow_each_other(client: Any, keys: Keys) -> None:
    assert [take_number(client, keys, NIGHT) for _ in range(3)] == [NIGHT, NIGHT + 1, NIGHT + 2]


def test_two_at_once_never_take_the_same(client: Any, keys: Keys, valkey_url: str) -> None:
    def take(_: int) -> list[int]:
        other = connect(valkey_url, timeout_seconds=5)
        try:
            return [take_number(other, keys, NIGHT) for _ in range(50)]
        finally:
            other.close()

    with ThreadPoolExecutor(4) as threads:
        taken = [number for numbers in threads.map(take, range(4)) for number in numbers]
    assert sorted(taken) == list(range(NIGHT, NIGHT + 200))


def test_a_clock_that_was_set_back_takes_no_number_again(client: Any, keys: Keys) -> None:
    take_number(client, keys, NIGHT)
    assert take_number(client, keys, NIGHT - 10**9) == NIGHT + 1


def test_a_store_that_counted_from_1_goes_on_by_the_clock(client: Any, keys: Keys) -> None:
    client.incr(keys.counter, 7)
    assert take_number(client, keys, NIGHT) == NIGHT
    assert client.incr(keys.counter) == NIGHT + 1  # and a publisher of the version before goes on from there


@pytest.mark.parametrize("kept", [None, b"7"], ids=["lost", "older"])
def test_a_counter_that_was_lost_or_is_older_gives_no_number_again(client: Any, keys: Keys, kept: bytes | None) -> None:
    used = [take_number(client, keys, NIGHT + second) for second in (0, 1)]
    client.delete(keys.counter)
    if kept is not None:
        client.set(keys.counter, kept)
    assert take_number(client, keys, NIGHT + 2) not in used


def test_no_digit_is_lost_on_the_way_to_a_reader(client: Any, keys: Keys) -> None:
    last = 99991231235959  # of the last second that has 14 digits
    assert take_number(client, keys, last) == last
    assert int(client.get(keys.counter)) == last
    assert int(float(json.dumps(last))) == last  # as JavaScript and Prometheus read it
