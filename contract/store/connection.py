"""One way to connect to Redis, with bounded waits, and one error for all of its failures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from contract.errors import StoreUnreachable


def connect(url: str, timeout_seconds: float, cluster: bool = False) -> Any:
    """A redis-py client that never waits longer than `timeout_seconds` for one answer and never retries.

    redis-py's own defaults let a frozen server block one `get` for 59 s.
    """
    options: dict[str, Any] = {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    if cluster:
        return redis.RedisCluster.from_url(url, **options)
    return redis.Redis.from_url(url, **options)


@contextmanager
def unreachable_is_typed(what: str) -> Iterator[None]:
    """Raise StoreUnreachable for any error of the client, the server or the socket."""
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise StoreUnreachable(f"{what}: {type(error).__name__}: {error}; is Redis up at the set URL?") from error
