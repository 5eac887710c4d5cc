"""Publisher, Reader and pointer against a real Valkey."""

from typing import Any

import msgspec
import pytest

from contract.codec import CandidateList, encode_candidates, encode_record
from contract.errors import CorruptValue, NoGeneration, PublishRefused, StoreUnreachable
from contract.keys import Keys
from contract.records import ItemRecord, Pointer, Through, UserRecord
from contract.store.connection import connect
from contract.store.pointer import Promotion, move_pointer, read_pointer
from contract.store.publisher import Publisher, roll_back, set_model
from contract.store.reader import Reader


def publisher(client: Any, keys: Keys) -> Publisher:
    return Publisher(client, keys, staging_ttl_seconds=600, retired_ttl_seconds=60, number_now=lambda: 1)


def publish(client: Any, keys: Keys, title: str = "a title") -> Pointer:
    writer = publisher(client, keys)
    number = writer.open()
    writer.write(number, "item", "a", encode_record(ItemRecord("a", title)))
    writer.write(number, "user", "u", encode_record(UserRecord("u", history=("a",))))
    listed = encode_candidates(CandidateList.of([("a", 1, [0.5, 0.25])], 2))
    for kind, id in (("candidates-user", "u"), ("candidates-item", "a"), ("candidates-segment", "all")):
        writer.write(number, kind, id, listed)  # type: ignore[arg-type]
    writer.seal(number, "2011-12-09", ["als", "popularity"], [1.0, 1.0])
    return writer.flip(number)


def test_what_was_published_is_read_back(client: Any, keys: Keys) -> None:
    pointer = publish(client, keys, "a lantern")
    reader = Reader(client, keys)
    assert (pointer.generation, pointer.previous) == (1, 0)
    assert reader.meta(1).sources == ("als", "popularity")
    assert reader.meta(1).counts == {
        "item": 1,
        "user": 1,
        "candidates-user": 1,
        "candidates-item": 1,
        "candidates-segment": 1,
    }
    assert reader.items(1, ["a", "unknown"]) == {"a": ItemRecord("a", "a lantern")}
    found = reader.query(1, "u", ["a", "unknown"], ["all"])
    assert found.user == UserRecord("u", history=("a",))
    assert found.user_candidates is not None
    assert found.user_candidates.scores.tolist() == [[0.5, 0.25]]
    assert set(found.item_candidates) == {"a"}
    assert set(found.segment_candidates) == {"all"}


def test_a_generation_of_before_tells_of_no_slates(client: Any, keys: Keys) -> None:
    publish(client, keys)
    written = msgspec.json.decode(client.get(keys.meta(1)))
    assert written.pop("through") == {"slates": 0, "click": None, "purchase": None}
    client.set(keys.meta(1), msgspec.json.encode(written))
    assert Reader(client, keys).meta(1).through == Through()


def test_an_unknown_user_is_none_and_not_an_error(client: Any, keys: Keys) -> None:
    publish(client, keys)
    found = Reader(client, keys).query(1, "nobody", [])
    assert found.user is None
    assert found.user_candidates is None


def test_before_the_first_publish_there_is_no_generation(client: Any, keys: Keys) -> None:
    reader = Reader(client, keys)
    assert reader.pointer() == Pointer()
    with pytest.raises(NoGeneration, match="run candidates_daily"):
        reader.meta(0)


def test_nothing_is_live_before_the_flip(client: Any, keys: Keys) -> None:
    writer = publisher(client, keys)
    number = writer.open()
    writer.write(number, "item", "a", encode_record(ItemRecord("a", "x")))
    writer.seal(number, "2011-12-09", ["als"], [1.0])
    assert Reader(client, keys).pointer().generation == 0


def test_a_value_that_vanished_or_changed_is_refused_before_the_flip(client: Any, keys: Keys) -> None:
    for spoil in ("delete", "change"):
        writer = publisher(client, keys)
        number = writer.open()
        writer.write(number, "item", "a", encode_record(ItemRecord("a", "x")))
        writer._staging.flush()
        name = keys.value(number, "item", "a")
        if spoil == "delete":
            client.delete(name)
        else:
            client.set(name, encode_record(ItemRecord("a", "y")))
        with pytest.raises(PublishRefused, match="nothing was flipped"):
            writer.seal(number, "2011-12-09", ["als"], [1.0])


def test_a_value_that_does_not_decode_is_refused(client: Any, keys: Keys) -> None:
    writer = publisher(client, keys)
    number = writer.open()
    writer.write(number, "candidates-user", "u", b"\x01\x02\x03")
    with pytest.raises(CorruptValue):
        writer.seal(number, "2011-12-09", ["als"], [1.0])


def test_the_generation_before_the_last_goes_by_ttl_and_the_last_two_stay(client: Any, keys: Keys) -> None:
    for _ in range(3):
        publish(client, keys)
    lifetimes = {number: client.ttl(keys.value(number, "item", "a")) for number in (1, 2, 3)}
    assert 0 < lifetimes[1] <= 60
    assert lifetimes[2] == lifetimes[3] == -1
    assert 0 < client.ttl(keys.meta(1)) <= 60


def test_roll_back_flips_and_a_second_one_flips_forward(client: Any, keys: Keys) -> None:
    publish(client, keys, "old")
    publish(client, keys, "new")
    assert roll_back(client, keys).generation == 1
    assert Reader(client, keys).items(1, ["a"])["a"].title == "old"
    assert roll_back(client, keys).generation == 2


def test_roll_back_without_a_generation_before_is_refused(client: Any, keys: Keys) -> None:
    publish(client, keys)
    with pytest.raises(NoGeneration, match="no generation before 1"):
        roll_back(client, keys)


def test_after_a_roll_back_the_next_publish_takes_a_new_number(client: Any, keys: Keys) -> None:
    publish(client, keys)
    publish(client, keys)
    roll_back(client, keys)
    moved = publish(client, keys)
    assert (moved.generation, moved.previous) == (3, 1)


def test_a_lost_counter_never_reuses_a_live_number(client: Any, keys: Keys) -> None:
    publish(client, keys)
    publish(client, keys)
    client.delete(keys.counter)
    assert publish(client, keys).generation == 3


def test_the_pointer_moves_only_from_what_was_seen(client: Any, keys: Keys) -> None:
    seen = read_pointer(client, keys)
    set_model(client, keys, "m1")
    with pytest.raises(PublishRefused, match="moved by someone else"):
        move_pointer(client, keys, seen, Pointer(generation=9))
    assert read_pointer(client, keys).generation == 0


def test_a_model_promoted_during_a_publish_survives_the_flip(client: Any, keys: Keys) -> None:
    publish(client, keys)
    writer = publisher(client, keys)
    number = writer.open()
    writer.write(number, "item", "a", encode_record(ItemRecord("a", "x")))
    writer.seal(number, "2011-12-09", ["als"], [1.0])
    set_model(client, keys, "m2")
    assert writer.flip(number).model == "m2"


def test_an_older_publish_never_replaces_a_newer_one(client: Any, keys: Keys) -> None:
    slow = publisher(client, keys)
    number = slow.open()
    slow.write(number, "item", "a", encode_record(ItemRecord("a", "x")))
    slow.seal(number, "2011-12-09", ["als"], [1.0])
    publish(client, keys)
    with pytest.raises(PublishRefused, match="it stays"):
        slow.flip(number)


def test_set_model_remembers_the_model_before(client: Any, keys: Keys) -> None:
    set_model(client, keys, "m1")
    pointer = set_model(client, keys, "m2")
    assert (pointer.model, pointer.previous_model) == ("m2", "m1")


def test_a_model_that_is_live_is_not_taken_for_the_one_before(client: Any, keys: Keys) -> None:
    set_model(client, keys, "m1")
    set_model(client, keys, "m2")
    pointer = set_model(client, keys, "m2")
    assert (pointer.model, pointer.previous_model) == ("m2", "m1")


def test_a_model_replaces_only_the_one_that_it_was_compared_with(client: Any, keys: Keys) -> None:
    set_model(client, keys, "m1")
    with pytest.raises(PublishRefused, match="model m1 went live meanwhile, and m2 was to replace none: it stays"):
        set_model(client, keys, "m2", replacing="")
    assert set_model(client, keys, "m2", replacing="m1").model == "m2"


def sealed(client: Any, keys: Keys) -> tuple[Publisher, int]:
    writer = publisher(client, keys)
    number = writer.open()
    writer.write(number, "item", "a", encode_record(ItemRecord("a", "x")))
    writer.seal(number, "2011-12-09", ["als"], [1.0])
    return writer, number


def test_a_generation_and_a_model_go_live_in_one_move(client: Any, keys: Keys) -> None:
    publish(client, keys)
    before = set_model(client, keys, "m1")
    writer, number = sealed(client, keys)
    moved = writer.flip(number, Promotion("m2", replacing="m1"))
    assert moved.serial == before.serial + 1
    assert (moved.generation, moved.previous, moved.model, moved.previous_model) == (2, 1, "m2", "m1")
    assert read_pointer(client, keys) == moved


def test_a_promotion_that_came_too_late_flips_nothing(client: Any, keys: Keys) -> None:
    publish(client, keys)
    writer, number = sealed(client, keys)
    set_model(client, keys, "other")
    with pytest.raises(PublishRefused, match="model other went live meanwhile"):
        writer.flip(number, Promotion("m2", replacing=""))
    assert read_pointer(client, keys).generation == 1


def test_a_generation_keeps_its_values_though_another_publish_began_before_its_flip(client: Any, keys: Keys) -> None:
    publish(client, keys)
    first, number = sealed(client, keys)
    second, later = sealed(client, keys)  # opened while the first was sealed, and not yet flipped
    first.flip(number)
    assert client.ttl(keys.value(number, "item", "a")) == -1
    second.flip(later)
    assert client.ttl(keys.value(number, "item", "a")) == client.ttl(keys.value(later, "item", "a")) == -1


def test_a_server_that_is_not_there_is_a_typed_error(keys: Keys) -> None:
    nobody = connect("redis://127.0.0.1:1/0", timeout_seconds=0.2)
    with pytest.raises(StoreUnreachable, match="is Redis up"):
        Reader(nobody, keys).pointer()
