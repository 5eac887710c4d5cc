"""Cached answers: a whole response body under a digest of everything that changes it; `reader` reads them."""

from typing import Any

from contract.keys import Keys
from contract.store.connection import unreachable_is_typed


class AnswerCache:
    """Raises StoreUnreachable. A TTL of 0 caches nothing."""

    def __init__(self, client: Any, keys: Keys, ttl_seconds: int) -> None:
        self._client = client
        self._keys = keys
        self._ttl = ttl_seconds

    def put(self, material: bytes, body: bytes) -> None:
        if self._ttl:
            with unreachable_is_typed("caching an answer"):
                self._client.set(self._keys.answer(material), body, ex=self._ttl)
