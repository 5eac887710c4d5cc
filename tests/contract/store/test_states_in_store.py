"""Item states beside a generation: written with it, read back block by block, never those of another model."""

from typing import Any

import msgspec
import numpy as np
import pytest

from contract.codec import encode_record
from contract.errors import CorruptValue, NoGeneration, PublishRefused
from contract.keys import Keys
from contract.records import GenerationMeta, ItemRecord
from contract.states import StateBlock, encode_block, state_block_id
from contract.store import staging
from contract.store.publisher import Publisher
from contract.store.reader import Reader
from tests.contract.test_states import block_of

BLOCKS = [block_of([4, 2], seed=1), block_of([3], seed=2)]


def publish(client: Any, keys: Keys, blocks: list[StateBlock]) -> GenerationMeta:
    writer = Publisher(client, keys, staging_ttl_seconds=600, retired_ttl_seconds=60, number_now=lambda: 1)
    number = writer.open()
    writer.write(number, "item", "a", encode_record(ItemRecord("a", "a lamp")))
    writer.write_states(number, blocks)
    meta = writer.seal(number, "2011-12-09", ["als"], [1.0])
    writer.flip(number)
    return meta


def test_states_come_back_as_they_were_published(client: Any, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "BATCH_BYTES", 10)  # a block a batch
    meta = publish(client, keys, BLOCKS)
    reader = Reader(client, keys)
    assert meta == reader.meta(1)
    assert (meta.states_model, meta.states_texts, meta.states_tokens, meta.states_blocks) == ("m1", 3, 9, 2)
    assert meta.counts == {"item": 1, "states": 2}
    found = list(reader.states(meta))
    assert [block.keys for block in found] == [block.keys for block in BLOCKS]
    assert all(np.array_equal(one.rows, other.rows) for one, other in zip(found, BLOCKS, strict=True))
    assert client.ttl(keys.value(1, "states", state_block_id(1))) == -1


def test_a_generation_without_states_has_none(client: Any, keys: Keys) -> None:
    meta = publish(client, keys, [])
    assert (meta.states_model, meta.states_blocks) == ("", 0)
    assert list(Reader(client, keys).states(meta)) == []


def test_a_generation_published_before_there_were_states_is_read(client: Any, keys: Keys) -> None:
    publish(client, keys, BLOCKS)
    old = msgspec.json.decode(client.get(keys.meta(1)))
    client.set(keys.meta(1), msgspec.json.encode({name: old[name] for name in old if not name.startswith("states_")}))
    assert Reader(client, keys).meta(1).states_blocks == 0


@pytest.mark.parametrize("other", [{"model": "m2"}, {"width": 2}, {"kind": "float16"}])
def test_states_of_two_models_or_forms_are_not_published_together(
    client: Any, keys: Keys, other: dict[str, Any]
) -> None:
    with pytest.raises(PublishRefused, match="beside those of m1"):
        publish(client, keys, [BLOCKS[0], block_of([3], **other)])
    assert Reader(client, keys).pointer().generation == 0


def test_states_are_written_once_a_generation(client: Any, keys: Keys) -> None:
    writer = Publisher(client, keys, staging_ttl_seconds=600, retired_ttl_seconds=60, number_now=lambda: 1)
    number = writer.open()
    writer.write_states(number, BLOCKS[:1])
    with pytest.raises(PublishRefused, match="hand all blocks over in one call"):
        writer.write_states(number, BLOCKS[1:])


def test_a_block_that_is_gone_is_said_so(client: Any, keys: Keys) -> None:
    meta = publish(client, keys, BLOCKS)
    client.delete(keys.value(1, "states", "1"))
    with pytest.raises(NoGeneration, match="block 1 of 2 of its item states is gone"):
        list(Reader(client, keys).states(meta))


def test_a_block_that_was_changed_is_refused(client: Any, keys: Keys) -> None:
    meta = publish(client, keys, BLOCKS)
    name = keys.value(1, "states", "0")
    raw = bytearray(client.get(name))
    raw[-20] ^= 1
    client.set(name, bytes(raw))
    with pytest.raises(CorruptValue, match=r"generation 1: block 0 of 2 .* not what their digest says"):
        list(Reader(client, keys).states(meta))


def test_a_block_of_another_model_is_never_mixed_in(client: Any, keys: Keys) -> None:
    meta = publish(client, keys, BLOCKS)
    client.set(keys.value(1, "states", "1"), encode_block(block_of([3], seed=2, model="m2")))
    with pytest.raises(CorruptValue, match="item states of model m2, not of m1"):
        list(Reader(client, keys).states(meta))


def test_blocks_of_other_texts_than_were_published_are_refused(client: Any, keys: Keys) -> None:
    meta = publish(client, keys, BLOCKS)
    client.set(keys.value(1, "states", "1"), encode_block(block_of([3, 3], seed=5)))
    with pytest.raises(CorruptValue, match="4 texts and 12 tokens, not of 3 and 9"):
        list(Reader(client, keys).states(meta))


def test_states_that_vanish_before_the_flip_are_noticed(client: Any, keys: Keys) -> None:
    writer = Publisher(client, keys, staging_ttl_seconds=600, retired_ttl_seconds=60, number_now=lambda: 1)
    number = writer.open()
    writer.write_states(number, BLOCKS)
    writer._staging.flush()
    client.delete(keys.value(number, "states", "0"))
    with pytest.raises(PublishRefused, match="1 of 2 values missing"):
        writer.seal(number, "2011-12-09", ["als"], [1.0])
